/** The manifests of deploy/kubernetes. docs/production.md says what else was done to check them. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { PACKAGE_ROOT } from '../../src/package-root';
import { SHUTDOWN_GRACE } from '../../src/worker/control-plane';
import { shutdownForceTime } from '../../src/worker/serve';

const FOLDER = path.join(PACKAGE_ROOT, 'deploy', 'kubernetes');

interface Container {
  name: string;
  image: string;
  securityContext: object;
  resources: { limits: { memory: string } };
  args?: string[];
  env?: { name: string; value: string }[];
  ports?: { name: string; containerPort: number }[];
}
interface Pod {
  terminationGracePeriodSeconds?: number;
  automountServiceAccountToken: boolean;
  securityContext: object;
  initContainers?: Container[];
  containers: Container[];
}
interface Template {
  metadata: { annotations?: Record<string, string> };
  spec: Pod;
}
interface Kustomization {
  resources: string[];
  images: { name: string; newTag: string }[];
}

const read = (file: string): Promise<string> => readFile(path.join(FOLDER, file), 'utf8');

let kustomization: Kustomization;
let templates: Map<string, Template>;
let pods: Map<string, Pod>;
beforeAll(async () => {
  kustomization = parse(await read('kustomization.yaml')) as Kustomization;
  const texts = await Promise.all(kustomization.resources.map(read));
  const objects = texts.flatMap((text) =>
    parseAllDocuments(text).map(
      (each) => each.toJS() as { metadata: { name: string }; spec?: { template?: Template } },
    ),
  );
  templates = new Map(
    objects.flatMap(({ metadata, spec }) => (spec?.template ? [[metadata.name, spec.template] as const] : [])),
  );
  pods = new Map([...templates].map(([name, { spec }]) => [name, spec]));
});

test('every pod is what the pod security standard "restricted" wants, with bounds and without a token of the cluster', () => {
  expect([...pods.keys()]).toEqual(['onward-setup', 'onward-worker', 'onward-exporter']);
  for (const [pod, { automountServiceAccountToken, securityContext, initContainers = [], containers }] of pods) {
    expect({ pod, automountServiceAccountToken }).toEqual({ pod, automountServiceAccountToken: false });
    expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const container of [...initContainers, ...containers]) {
      expect(container).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        resources: { limits: { memory: expect.any(String) } },
      });
    }
  }
});

test('a worker that is told to end is not killed before it has ended by itself', () => {
  const period = pods.get('onward-worker')?.terminationGracePeriodSeconds;
  expect(period).toBeGreaterThan(Number.parseInt(shutdownForceTime(SHUTDOWN_GRACE)));
});

test('Prometheus is told the port at which each pod serves metrics, and is let in there', async () => {
  const listens = ({ args = [], env = [] }: Container): string | undefined =>
    args[0] === 'exporter'
      ? '9465'
      : env
          .find(({ name }) => name === 'ONWARD_METRICS')
          ?.value.split(':')
          .at(-1);
  for (const name of ['onward-worker', 'onward-exporter']) {
    const { metadata, spec } = templates.get(name) ?? {};
    const [container] = spec?.containers ?? [];
    const port = container && listens(container);
    expect({ name, ...metadata?.annotations }).toEqual({
      name,
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': port,
    });
    expect([name, container?.ports]).toEqual([name, [{ name: 'metrics', containerPort: Number(port) }]]);
  }
  expect(parse(await read('network.yaml'))).toMatchObject({ spec: { ingress: [{ ports: [{ port: 'metrics' }] }] } });
});

test('the image is that of this version', async () => {
  const { version } = JSON.parse(await readFile(path.join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  expect(kustomization.images).toEqual([{ name: 'onward', newTag: version }]);
});

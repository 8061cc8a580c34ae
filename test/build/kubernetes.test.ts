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
}
interface Pod {
  terminationGracePeriodSeconds?: number;
  automountServiceAccountToken: boolean;
  securityContext: object;
  initContainers?: Container[];
  containers: Container[];
}
interface Kustomization {
  resources: string[];
  images: { name: string; newTag: string }[];
}

const read = (file: string): Promise<string> => readFile(path.join(FOLDER, file), 'utf8');

let kustomization: Kustomization;
let pods: Map<string, Pod>;
beforeAll(async () => {
  kustomization = parse(await read('kustomization.yaml')) as Kustomization;
  const texts = await Promise.all(kustomization.resources.map(read));
  const objects = texts.flatMap((text) =>
    parseAllDocuments(text).map(
      (each) => each.toJS() as { kind: string; metadata: { name: string }; spec?: { template?: { spec: Pod } } },
    ),
  );
  pods = new Map(
    objects.flatMap(({ metadata, spec }) => (spec?.template ? [[metadata.name, spec.template.spec] as const] : [])),
  );
});

test('every pod is what the pod security standard "restricted" wants, with bounds and without a token of the cluster', () => {
  expect([...pods.keys()]).toEqual(['onward-setup', 'onward-worker']);
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

test('the image is that of this version', async () => {
  const { version } = JSON.parse(await readFile(path.join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  expect(kustomization.images).toEqual([{ name: 'onward', newTag: version }]);
});

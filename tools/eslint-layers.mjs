/**
 * ESLint rule that keeps the layers of the design: what a folder may import follows from where it stands.
 *
 * `folders` are prefixes of paths from the root of the project, `packages` names of packages; where a layer gives no
 * `packages`, any will do. A folder may always import from itself. `test/*` is each folder in `test` by itself. The first
 * layer that matches a file holds.
 */
import path from 'node:path';

const ROOT = path.dirname(import.meta.dirname);

/** @param below folders of workflows that this one may import from. */
function workflowLayer(folder, ...below) {
  return {
    layer: `workflows/${folder}`,
    folders: ['src/contract', 'src/temporal/search-attributes', ...below.map((each) => `workflows/${each}`)],
    packages: ['@temporalio/workflow', '@temporalio/common', 'zod'],
  };
}

export const LAYERS = [
  { layer: 'src/contract', folders: [], packages: ['zod'] },
  // Workflow code is replayed: it must not reach anything that does I/O, nor Node's own modules. Only releases know a version.
  workflowLayer('kit'),
  workflowLayer('people', 'kit'),
  workflowLayer('engine', 'people', 'kit'),
  workflowLayer('steps', 'engine', 'people', 'kit'),
  workflowLayer('releases', 'steps', 'engine'),
  workflowLayer('upgrade', 'engine', 'people', 'kit'),
  workflowLayer('fleet', 'engine', 'kit'),
  workflowLayer('consent', 'steps', 'kit'),
  workflowLayer('installation', 'kit'),
  { layer: 'workflows', folders: ['workflows'], packages: ['@temporalio/workflow'] },
  { layer: 'src/temporal/search-attributes', folders: [], packages: ['@temporalio/common'] },
  { layer: 'src/temporal/doubtful-payloads', folders: ['src/contract'], packages: ['@temporalio/common'] },
  { layer: 'src/temporal/encoded-failures', folders: [], packages: ['@temporalio/common'] },
  { layer: 'src/temporal', folders: ['src/contract', 'src/inventory/secrets', 'src/package-root'] },
  { layer: 'src/codec-server', folders: ['src/temporal', 'src/inventory/secrets'] },
  { layer: 'src/inventory', folders: ['src/contract', 'src/package-root'] },
  { layer: 'src/maintenance', folders: ['src/contract'], packages: [] },
  { layer: 'src/systems', folders: ['src/contract', 'src/inventory'] },
  {
    layer: 'activities',
    folders: ['src/contract', 'src/systems', 'src/inventory', 'src/maintenance', 'src/temporal/search-attributes'],
  },
  {
    layer: 'src/worker',
    folders: ['src/contract', 'src/systems', 'src/inventory', 'src/temporal', 'src/package-root', 'activities'],
  },
  { layer: 'src/sandbox', folders: ['src/contract', 'src/systems', 'src/inventory', 'src/temporal'] },
  // The command line by what it is about. The kit knows none of that; beside it a fleet knows upgrades, and the demo shows all of them.
  { layer: 'src/cli/kit', folders: ['src/contract', 'src/inventory', 'src/temporal', 'src/package-root'] },
  { layer: 'src/cli/upgrade', folders: ['src/cli/kit', 'src/contract', 'src/temporal'] },
  {
    layer: 'src/cli/fleet',
    folders: ['src/cli/kit', 'src/cli/upgrade', 'src/contract', 'src/inventory', 'src/temporal'],
  },
  { layer: 'src/cli/consent', folders: ['src/cli/kit', 'src/contract', 'src/temporal'] },
  {
    layer: 'src/cli/operations',
    folders: [
      'src/cli/kit',
      'src/contract',
      'src/inventory',
      'src/temporal',
      'src/systems',
      'src/worker',
      'src/sandbox',
      'src/codec-server',
      'workflows/releases',
      'workflows/engine',
    ],
  },
  {
    layer: 'src/cli/demo',
    folders: [
      'src/cli/kit',
      'src/cli/upgrade',
      'src/cli/fleet',
      'src/cli/operations',
      'src/contract',
      'src/inventory',
      'src/temporal',
      'src/sandbox',
      'src/package-root',
      'workflows/releases',
    ],
  },
  // The program itself, which is made of these.
  { layer: 'src/cli', folders: [] },
  { layer: 'src/portal', folders: ['src', 'activities'] },
  // Each area by itself: what several of them need is in the kit, which needs none of them, or a release that only tests know.
  { layer: 'test/*', folders: ['src', 'activities', 'workflows', 'tools', 'test/kit', 'test/releases'] },
  { layer: 'bench', folders: ['src', 'activities', 'workflows', 'test/kit'] },
];

const within = (file, folder) => file === folder || file.startsWith(`${folder}/`);

/** Why the file may not import this, or undefined when it may. Paths are relative to the project's root, with slashes. */
export function objection(file, specifier) {
  const name = file.replace(/\.ts$/, '');
  const rule = LAYERS.find(({ layer }) => within(name, layer.replace(/\/\*$/, '')));
  if (rule === undefined) return undefined;
  const own = rule.layer.endsWith('/*') ? name.split('/', rule.layer.split('/').length).join('/') : rule.layer;
  if (!specifier.startsWith('.')) {
    const allowed = rule.packages?.some((each) => within(specifier, each)) ?? true;
    return allowed ? undefined : `${own} may import only the packages ${rule.packages.join(', ')}`;
  }
  const target = path.posix.join(path.posix.dirname(file), specifier);
  if ([own, ...rule.folders].some((folder) => within(target, folder))) return undefined;
  const allowed = rule.folders.length > 0 ? rule.folders.join(', ') : 'no other folder';
  return `${own} may import only itself and ${allowed}, not ${target}`;
}

export const layers = {
  meta: { type: 'problem', docs: { description: 'keep dependencies between folders pointing downwards' }, schema: [] },
  create(context) {
    const file = path.relative(ROOT, context.filename).split(path.sep).join('/');
    const check = (source) => {
      if (source?.type !== 'Literal' || typeof source.value !== 'string') return;
      const message = objection(file, source.value);
      if (message !== undefined) context.report({ node: source, message });
    };
    return {
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      TSImportType: (node) => check(node.source ?? node.argument?.literal),
    };
  },
};

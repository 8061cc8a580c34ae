/** `npm run schema`: writes the JSON Schema of inventory entries where editors find it. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { PACKAGE_ROOT } from '../package-root';
import { providerSchema } from './schema';

writeFileSync(path.join(PACKAGE_ROOT, 'inventory', 'provider.schema.json'), providerSchema());

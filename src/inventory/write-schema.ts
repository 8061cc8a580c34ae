/** `npm run schema`: writes the JSON Schema of inventory entries where editors find it. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { providerSchema } from './schema';

writeFileSync(path.join(__dirname, '../../inventory/provider.schema.json'), providerSchema());

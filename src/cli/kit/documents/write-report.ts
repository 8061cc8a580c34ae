import { writeFile } from 'node:fs/promises';
import { CliError } from '../cli-error';

/** @param option that names the file */
export async function writeReport(file: string, text: string, option: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError('failure', `The report could not be written: ${why}`, {
      hint: `Name another file with ${option}.`,
      cause: error,
    });
  }
}

import type { FolderConverter } from '../source/folder-converter.ts';
import { convertModel } from './convert-model.ts';
import { openModelFolder } from './model-folder.ts';

/** Converts the model in a folder to F16, for packages that have no GGUF file. @throws as {@link convertModel} */
export const convertFolder: FolderConverter = async (folder, sink, options) => {
  await convertModel(await openModelFolder(folder), sink, options);
};

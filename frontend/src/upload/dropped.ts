/** What was dropped: files, and every file of the folders. */
import type { NamedFile } from "./queue";

/** Hidden files are no films: what a system puts beside them. */
const isHidden = (name: string): boolean => name.startsWith(".");

/** Call it while the drop is told: the browser forgets it afterwards. `found` is told how many there are by now. */
export async function filesOf(drop: DataTransfer, found: (number: number) => void): Promise<NamedFile[]> {
  const entries = [...drop.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const files: NamedFile[] = [];
  for (const entry of entries) await walk(entry, files, found);
  return files;
}

/** As chosen by a field for files, or for a folder, whose hidden files are left out. */
export function chosenFiles(field: HTMLInputElement): NamedFile[] {
  return [...(field.files ?? [])]
    .map((file) => ({ file, name: file.webkitRelativePath || file.name }))
    .filter(({ file, name }) => file.webkitRelativePath === "" || !name.split("/").some(isHidden))
    .sort(byName);
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

async function walk(
  entry: FileSystemEntry,
  files: NamedFile[],
  found: (number: number) => void,
): Promise<void> {
  if (isHidden(entry.name)) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    files.push({ file, name: entry.fullPath.replace(/^\//, "") });
    return found(files.length);
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const inside: FileSystemEntry[] = [];
  // A browser tells a hundred at a time, and none once it has told all.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) break;
    inside.push(...some);
  }
  for (const each of inside.sort(byName)) await walk(each, files, found);
}

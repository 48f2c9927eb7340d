/** What the server says of files that were brought in: named parts of the generated schema. */
import type { components } from "./schema";

export type ImportBatch = components["schemas"]["Import"];
export type ArchiveImport = components["schemas"]["ArchiveImportJson"];
export type FoundText = components["schemas"]["FoundText"];
export type ImportItem = components["schemas"]["ImportItem"];

/** The database that a browser keeps for the reading room: what is not sent yet, and what can be taken back. */

const NAME = "deepmedix-review";
const VERSION = 3;
export const OUTBOX = "outbox";
export const HISTORIES = "histories";

export function settled<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Resolves when what was written outlives the page: a request that succeeded can still be lost with its
 * transaction, by a page that ends or a disk that is full (Indexed Database API 3.0, section 2.7.1). */
export function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("the browser gave the change up"));
  });
}

/** Rejects where the browser keeps no database, for instance in some private windows. */
export async function openDatabase(): Promise<IDBDatabase> {
  const opening = indexedDB.open(NAME, VERSION);
  opening.onupgradeneeded = () => {
    const store = storeIn(opening, OUTBOX, { keyPath: "sequence", autoIncrement: true });
    indexed(store, "reading", "reading");
    indexed(store, "change", "change.change_id");
    const histories = storeIn(opening, HISTORIES, { keyPath: ["account", "reading"] });
    indexed(histories, "kept_at", "kept_at");
  };
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    opening.onblocked = () => reject(new Error("a window with an older version of this page is open"));
    settled(opening).then(resolve, reject);
  });
  database.onversionchange = () => database.close();
  return database;
}

function storeIn(opening: IDBOpenDBRequest, name: string, form: IDBObjectStoreParameters): IDBObjectStore {
  const { result: database, transaction } = opening;
  return database.objectStoreNames.contains(name)
    ? (transaction as IDBTransaction).objectStore(name)
    : database.createObjectStore(name, form);
}

function indexed(store: IDBObjectStore, name: string, path: string): void {
  if (!store.indexNames.contains(name)) store.createIndex(name, path);
}

/** Uploading: each file is its own request, so one bad file stops no other. */
export function enhanceUploads(_root: ParentNode): void {}

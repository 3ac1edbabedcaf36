const readers = new Set();

/** Calls `reader` with each item of the section, until the returned function is called. */
export function subscribe(section, reader) {
  const entry = { section, reader };
  readers.add(entry); // expect: LC001|LC006 #feed
  return () => readers.delete(entry);
}

export function publish(section, item) {
  for (const entry of readers) {
    if (entry.section === section) entry.reader(item);
  }
}

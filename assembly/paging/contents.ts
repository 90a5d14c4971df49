// The seam to where the contents of frames stand: every load and store of an entry goes through these names. In the shipped engine
// they stand in its own memory. The build that walks memory of a host's puts another file in this one's place
// (scripts/build-memory.mjs); the shipped one knows nothing of it and imports nothing.
//
//   an entry     EntryAt (where one stands), loadEntry, setEntry, markEntry, exchangeEntry, MAY_CHANGE, slotAround, holdsEntry
//   a table      entriesOf, entryIn (of a loop that knows the table's frame) with contentsBase, isEmpty, clearContents,
//                clearEntries, copyContents
//   the host     createFrameStore, contentsOf

export * from "./store/contents";

internal import CRocksDB
package import Core

extension Database {
  /// A copy of the database as it is now in the new folder `path`, which must not exist: hard links where the file
  /// system has them, so cheap. On the disk when this returns.
  package func checkpoint(to path: String) throws(HeadraceError) {
    try enter()
    defer { leave() }
    var creation = ErrorSlot()
    let checkpoint = unsafe rocksdb_checkpoint_object_create(handle, &creation.message)
    try creation.check(place: self.path)
    defer { unsafe rocksdb_checkpoint_object_destroy(checkpoint) }
    var error = ErrorSlot()
    // Zero flushes the memory tables first: before 9.4 a linked log may not be wholly on the disk.
    unsafe rocksdb_checkpoint_create(checkpoint, path, 0, &error.message)
    try error.check(place: path)
    try Folder.synchronize(path)
  }
}

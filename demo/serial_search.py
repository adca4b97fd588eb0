"""Serial numbers, and a control, searched for in everything that a thief could carry away: as they are
and in the forms that programs give to text. grep does the looking, so that it is none of ours.
"""
import base64
import os
import secrets
import sqlite3
import subprocess

CONTROL_CHARACTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def inner_base64(data, before):
    """Of base64 in which `before` (0 to 2) unknown bytes of a group stand in front of the data: the
    characters that depend on the data alone."""
    text = base64.b64encode(bytes(before) + data + bytes(3))
    return text[-(-before * 8 // 6):(before + len(data)) * 8 // 6]


def forms(text):
    """Name of a form -> bytes."""
    data = text.encode()
    found = {"plain": data, "lower case": text.lower().encode(), "reversed": data[::-1],
             "hexadecimal": data.hex().encode(), "HEXADECIMAL": data.hex().upper().encode(),
             "UTF-16": text.encode("utf-16-le")[:-1]}  # without its last byte, either order is found
    for before in range(3):
        found[f"base64 at {before}"] = inner_base64(data, before)
    return found


def make_control():
    """Like a serial, and never issued; K, in hexadecimal 4b, makes every form of it another."""
    return "K" + "".join(secrets.choice(CONTROL_CHARACTERS) for _ in range(13))


class Hunt:
    """For these serials and one control."""

    def __init__(self, serials, control=None):
        self.control = control or make_control()
        self.meaning = {data: serial for serial in serials for data in forms(serial).values()}
        self.control_forms = {data: name for name, data in forms(self.control).items()}
        # On standard input: what is looked for is to be in no file.
        self.patterns = b"\n".join([*self.meaning, *self.control_forms])

    def search(self, path):
        """(serials found, forms of the control found, bytes searched) in a file or below a folder."""
        done = subprocess.run(["grep", "-raohF", "-D", "skip", "-f", "-", "--", path],
                              input=self.patterns, capture_output=True, check=False,
                              env={**os.environ, "LC_ALL": "C"})
        # Files come and go while programs run.
        wrong = [line for line in done.stderr.splitlines() if b"No such file" not in line]
        if wrong:
            raise OSError(wrong[0].decode(errors="replace"))
        found = set(done.stdout.split(b"\n"))
        return ({self.meaning[f] for f in found if f in self.meaning},
                {self.control_forms[f] for f in found if f in self.control_forms}, size_of(path))


def size_of(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    total = 0
    for top, _, names in os.walk(path):
        for name in names:
            try:
                total += os.path.getsize(os.path.join(top, name))
            except FileNotFoundError:
                pass
    return total


def search_site(hunt, site, backup=None):
    """Name of a place -> (serials found, forms of the control found, bytes) of all that theriacd on
    SQLite and the key service keep; with `backup`, of SQLite's own online backup to that file too.
    The control is planted in the live database, in every form, beside the program that has it open,
    and is sought in the write-ahead log before a checkpoint takes it into the file."""
    with open(site.service.log, "a", encoding="utf-8") as log:
        log.write(f"control {hunt.control}\n")
    try:
        run_in_sqlite(site.database, "CREATE TABLE IF NOT EXISTS planted(x BLOB)")
        for data in hunt.control_forms:
            run_in_sqlite(site.database, "INSERT INTO planted VALUES(?)", (data,))
        seen = {"write-ahead log": hunt.search(f"{site.database}-wal")}
        run_in_sqlite(site.database, "PRAGMA wal_checkpoint(PASSIVE)")
        seen["database"] = hunt.search(site.database)
        if backup is not None:
            back_up_sqlite(site.database, backup)
            seen["backup"] = hunt.search(backup)
    finally:
        run_in_sqlite(site.database, "DROP TABLE IF EXISTS planted")
    for name, path in (("logs", site.place.dir / "log"), ("audit log", site.audit),
                       ("key service", site.parts.keyd_state)):
        seen[name] = hunt.search(path)
    return seen


def run_in_sqlite(database, sql, values=()):
    connection = sqlite3.connect(database, timeout=30, isolation_level=None)
    try:
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def back_up_sqlite(database, target):
    """SQLite's own online backup, while the database is in use."""
    target.unlink(missing_ok=True)
    source, copy = (sqlite3.connect(path, timeout=30) for path in (database, target))
    try:
        source.backup(copy)
        items = "SELECT count(*) FROM items"
        if copy.execute("PRAGMA integrity_check").fetchall() != [("ok",)] or \
                copy.execute(items).fetchone() != source.execute(items).fetchone():
            raise OSError("the backup is not whole")
    finally:
        source.close()
        copy.close()


def row_as_stored(database, lot, state):
    """(blind index, sealed serial) of an item, as a thief reads them."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute("SELECT key, sealed FROM items WHERE lot = ? AND state = ?",
                                  (lot, state)).fetchone()
    finally:
        connection.close()

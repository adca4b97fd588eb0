#!/usr/bin/env python3
"""Verifies a Theriac audit log without any of Theriac's code.

    verify_independent.py LOG [VKEY]

LOG is the directory with checkpoint and tile/. VKEY is the log's verifier key ("name+id+base64"),
kept elsewhere; without it LOG/log.vkey is taken. Needs Python's standard library and `openssl`
(Ed25519 has no place in hashlib). Formats: C2SP tlog-tiles, tlog-checkpoint, signed-note; hashing:
RFC 6962 section 2.1; entries and their chain: docs/design/audit-log.md.
"""
import base64, hashlib, json, os, subprocess, sys, tempfile

SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")  # RFC 8410: what comes before the 32 bytes


def sha256(data):
    return hashlib.sha256(data).digest()


def refuse(what):
    print(f"does not verify: {what}", file=sys.stderr)
    sys.exit(1)


def tree_hash(hashes):
    """MTH of RFC 6962 over leaf hashes, by its definition."""
    if len(hashes) == 0:
        return sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha256(b"\x01" + tree_hash(hashes[:k]) + tree_hash(hashes[k:]))


def read_checkpoint(note, vkey):
    """Size and root under a valid signature of the key."""
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key)
    if key[:1] != b"\x01" or len(key) != 33:
        refuse("the verifier key is not Ed25519")
    if sha256(name.encode() + b"\n" + key)[:4].hex() != key_id:
        refuse("the verifier key's id is not that of its name and key")
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    for line in signatures.splitlines():
        dash, signer, blob = line.split(" ")
        blob = base64.b64decode(blob)
        if dash == "\u2014" and signer == name and blob[:4].hex() == key_id:
            with tempfile.TemporaryDirectory() as scratch:
                def put(file, data):
                    with open(os.path.join(scratch, file), "wb") as out:
                        out.write(data)
                    return os.path.join(scratch, file)
                command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin",
                           "-inkey", put("key", SPKI_ED25519 + key[1:]),
                           "-in", put("text", text.encode()), "-sigfile", put("sig", blob[4:])]
                if subprocess.run(command, capture_output=True).returncode != 0:
                    refuse("the checkpoint's signature is wrong")
            break
    else:
        refuse("the checkpoint is not signed by this key")
    origin, size, root = text.splitlines()[:3]
    if origin != name:
        refuse("the checkpoint is of another log")
    return int(size), base64.b64decode(root)


def tile_path(log, level, index, width):
    digits = f"{index:03}" if index < 1000 else f"{index:0{(len(str(index)) + 2) // 3 * 3}}"
    groups = [digits[i:i + 3] for i in range(0, len(digits), 3)]
    path = os.path.join(log, "tile", level, *("x" + g for g in groups[:-1]), groups[-1])
    return path if width == 256 else os.path.join(path + ".p", str(width))


def read_entries(log, size):
    """All entries, out of the bundles."""
    entries = []
    for index in range((size + 255) // 256):
        width = min(256, size - index * 256)
        with open(tile_path(log, "entries", index, width), "rb") as file:
            bundle = file.read()
        for _ in range(width):
            length = int.from_bytes(bundle[:2], "big")
            if len(bundle) < 2 + length:
                refuse(f"bundle {index} is cut")
            entries.append(bundle[2:2 + length])
            bundle = bundle[2 + length:]
        if bundle:
            refuse(f"bundle {index} goes on behind its last entry")
    return entries


def check_tiles(log, hashes):
    """Every level: the stored hashes are those of the level below."""
    level = 0
    while hashes:
        for index in range((len(hashes) + 255) // 256):
            row = hashes[index * 256:index * 256 + 256]
            with open(tile_path(log, str(level), index, len(row)), "rb") as file:
                if file.read() != b"".join(row):
                    refuse(f"tile {level}/{index} does not match what is below it")
        hashes = [tree_hash(hashes[i:i + 256]) for i in range(0, len(hashes) - 255, 256)]
        level += 1


def check_chain(entries):
    """Each producer counts without gaps and names the hash of its entry before."""
    last = {}
    for index, raw in enumerate(entries):
        entry = json.loads(raw)
        if json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False) != raw.decode():
            refuse(f"entry {index} is not in canonical form")
        sequence, previous = last.get(entry["producer"], (0, bytes(32)))
        if entry["producer_seq"] != sequence:
            refuse(f"entry {index}: gap in producer sequence")
        if entry["prev"] != previous.hex():
            refuse(f"entry {index}: previous hash does not match")
        last[entry["producer"]] = (sequence + 1, sha256(b"\x00" + raw))


def main():
    log = sys.argv[1]
    with open(os.path.join(log, "checkpoint"), encoding="utf-8") as file:
        note = file.read()
    if len(sys.argv) > 2:
        vkey = sys.argv[2]
    else:
        with open(os.path.join(log, "log.vkey"), encoding="utf-8") as file:
            vkey = file.read().strip()
    size, root = read_checkpoint(note, vkey)
    entries = read_entries(log, size)
    hashes = [sha256(b"\x00" + entry) for entry in entries]
    if tree_hash(hashes) != root:
        refuse("the entries do not give the root that was signed")
    check_tiles(log, hashes)
    check_chain(entries)
    print(f"verifies: {size} entries")


if __name__ == "__main__":
    sys.setrecursionlimit(10000)
    main()

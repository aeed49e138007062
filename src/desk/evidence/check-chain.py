"""Recomputes the chain of the ledger: chain(n) = SHA-256(chain(n-1) || SHA-256(entry n)). Python 3, nothing else."""
import hashlib
import json

lines = open("chain.txt", encoding="ascii").read().splitlines()
value = bytes.fromhex(lines[0].split()[1])
for line in lines[1:-1]:
    number, digest, *file = line.split()
    digest = bytes.fromhex(digest)
    if file and hashlib.sha256(open(file[0], "rb").read()).digest() != digest:
        raise SystemExit(f"entry {number} was changed")
    value = hashlib.sha256(value + digest).digest()
head = lines[-1].split()
stated = json.load(open("statement.json", encoding="utf-8"))["ledger"]
if value.hex() != head[2] or stated != {"entries": int(head[1]), "chain": head[2]}:
    raise SystemExit("the chain does not end where the signed statement says")
print("chain holds:", head[1], head[2])

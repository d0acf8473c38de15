"""Records what llama.cpp gives for tiny GGUF models: python tests/recorded/gguf/record.py PROGRAM [NAME...]

PROGRAM is logits.c, compiled against llama.cpp. The values of the tensors follow from their names, as in ../record.py;
norms over heads lie around 1 too. Numbers are kept to 7 digits, which is what f32 has.
"""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

from models import MODELS, VOCABULARY

HERE = pathlib.Path(__file__).parent
LENGTHS = (1, 21)


def draws(seed, count):
    """mulberry32: numbers from 0 to 1, the same in every language."""
    mask = 0xFFFFFFFF
    out = []
    for _ in range(count):
        seed = (seed + 0x6D2B79F5) & mask
        t = ((seed ^ (seed >> 15)) * (1 | seed)) & mask
        t = ((t + (((t ^ (t >> 7)) * (61 | t)) & mask)) & mask) ^ t
        out.append((t ^ (t >> 14)) / 4294967296)
    return out


def values(name, shape):
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    count = 1
    for n in shape:
        count *= n
    centre = 1 if name.endswith("norm.weight") or name.endswith("norm_2.weight") else 0
    return [centre + (u - 0.5) for u in draws(seed, count)]


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key, value):
    if isinstance(value, bool):
        return text(key) + struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return text(key) + struct.pack("<II", 4, value)
    if isinstance(value, float):
        return text(key) + struct.pack("<If", 6, value)
    return text(key) + struct.pack("<I", 8) + text(value)


def tensors(entry):
    found = dict(entry["tensors"])
    for layer in range(entry["metadata"]["block_count"]):
        found.update({f"blk.{layer}.{name}": shape for name, shape in entry["layer"].items()})
    return found


def write(path, entry):
    pairs = {"general.architecture": entry["architecture"], "tokenizer.ggml.model": "none",
             **{f"{entry['architecture']}.{key}": value for key, value in entry["metadata"].items()}}
    head, data, shapes = b"", b"", tensors(entry)
    for name, shape in shapes.items():
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *reversed(shape), 0, len(data))
        numbers = values(name, shape)
        data += struct.pack(f"<{len(numbers)}f", *numbers)
        data += bytes(-len(data) % 32)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(pairs)) + b"".join(pair(k, v) for k, v in pairs.items()) + head
    path.write_bytes(head + bytes(-len(head) % 32) + data)


def record(program, name, entry):
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.gguf"
        write(path, entry)
        for length in LENGTHS:
            ids = [5 + (i * (7 + length) + i * i) % (VOCABULARY - 5) for i in range(length)]
            printed = subprocess.run([program, path, *map(str, ids)], check=True, capture_output=True, text=True).stdout
            cases.append({"ids": ids, "logits": [float(f"{float(word):.7g}") for word in printed.split()]})
    rows = ",\n  ".join(json.dumps(case, separators=(",", ":")) for case in cases)
    parts = ",\n ".join(f'"{key}": {json.dumps(entry[key])}' for key in ("architecture", "metadata", "tensors", "layer"))
    (HERE / f"{name}.json").write_text(f'{{\n {parts},\n "cases": [\n  {rows}\n ]\n}}\n')
    print(f"{name}: {len(tensors(entry))} tensors, {len(cases[-1]['logits']) // VOCABULARY} rows, up to {max(abs(v) for v in cases[-1]['logits']):.3g}")


if __name__ == "__main__":
    for name, entry in MODELS.items():
        if len(sys.argv) < 3 or name in sys.argv[2:]:
            record(sys.argv[1], name, entry)

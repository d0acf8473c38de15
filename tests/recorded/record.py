"""Records what transformers 5 gives for tiny models: python tests/recorded/record.py [NAME...]

Each model is one file, NAME.json: its config.json, the names and shapes of its weights, and a few inputs with their outputs.
The weights themselves follow from their names (see values), so that no file has to hold them. Everything is computed in
double precision; numbers are kept to 8 digits.
"""
import importlib
import json
import pathlib
import sys

import torch

from models import MODELS

HERE = pathlib.Path(__file__).parent


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
    """A weight's values: around 1 for gains of norms, around 0 for the rest. The seed is the FNV-1a hash of the name."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    centre = 1 if len(shape) == 1 and name.endswith("weight") else 0
    count = 1
    for n in shape:
        count *= n
    return torch.tensor([centre + (u - 0.5) for u in draws(seed, count)], dtype=torch.float32).reshape(shape).double()


def digits(x):
    return json.loads(json.dumps([float(f"{v:.8g}") for v in x.detach().reshape(-1).tolist()]))


def load(kind, class_name, config):
    package = f"transformers.models.{kind}"
    config_class = getattr(importlib.import_module(f"{package}.configuration_{kind}"), class_name["config"])
    model_class = getattr(importlib.import_module(f"{package}.modeling_{kind}"), class_name["model"])
    settings = {key: value for key, value in config.items() if key not in ("architectures", "model_type", "id2label", "label2id")}
    if "id2label" in config:
        settings["num_labels"] = len(config["id2label"])
    made = config_class(**settings)
    made._attn_implementation = "eager"
    return model_class(made).double().eval()


def outputs(model, case, base):
    ids = torch.tensor([case["ids"]])
    found = {}
    with torch.no_grad():
        if "source" in case:
            source = torch.tensor([case["source"]])
            out = model(input_ids=source, attention_mask=torch.ones_like(source), decoder_input_ids=ids, use_cache=False)
            found["logits"] = out.logits
            found["states"] = out.encoder_last_hidden_state
            return found
        arguments = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if "types" in case:
            arguments["token_type_ids"] = torch.tensor([case["types"]])
        if base is None:
            found["logits"] = model(**arguments, use_cache=False).logits
            return found
        if base == "text_model":
            out = model(input_ids=ids, attention_mask=torch.ones_like(ids))
            return {"states": out.last_hidden_state, "sentence": out.pooler_output if out.text_embeds is None else out.text_embeds}
        body = getattr(model, base, model)
        out = body(**arguments)
        found["states"] = out.last_hidden_state
        if body is model:
            if out.pooler_output is not None:
                found["pooled"] = out.pooler_output
            return found
        out = model(**arguments)
        if out.start_logits is not None:
            found["logits"] = torch.stack([out.start_logits, out.end_logits], dim=-1)
        elif out.logits.dim() == 2 and out.logits.shape == ids.shape and "ForPreTraining" in type(model).__name__:
            # One score a token; beside a score of nought it is the second of two labels, with the same probability.
            found["logits"] = torch.stack([torch.zeros_like(out.logits), out.logits], dim=-1)
        else:
            found["logits"] = out.logits
    return found


def record(name, entry):
    config = dict(entry["config"])
    model = load(entry["kind"], {"config": entry["config_class"], "model": config["architectures"][0]}, config)
    tied = entry.get("ties", {})
    weights = {}
    state = model.state_dict()
    with torch.no_grad():
        for key, tensor in state.items():
            if any(key.endswith(end) for end in entry.get("buffers", [])):
                continue
            tensor.copy_(values(tied.get(key, key), list(tensor.shape)))
            if key not in tied:
                weights[key] = list(tensor.shape)
    cases = []
    for case in entry["cases"]:
        found = {role: digits(value) for role, value in outputs(model, case, entry.get("base")).items()}
        cases.append({**case, **found})
    rows = ",\n  ".join(json.dumps(case, separators=(",", ":")) for case in cases)
    text = f'{{\n "config": {json.dumps(config)},\n "weights": {json.dumps(weights)},\n "cases": [\n  {rows}\n ]\n}}\n'
    (HERE / f"{name}.json").write_text(text)
    print(f"{name}: {len(weights)} weights, {len(cases)} cases")


if __name__ == "__main__":
    for name, entry in MODELS.items():
        if len(sys.argv) < 2 or name in sys.argv[1:] or any(a.endswith("*") and name.startswith(a[:-1]) for a in sys.argv[1:]):
            record(name, entry)

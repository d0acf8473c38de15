"""The tiny models that record.py records."""

LABELS = {"0": "ENTAILMENT", "1": "NEUTRAL", "2": "CONTRADICTION"}


def row(count, vocabulary, step, first=5):
    """Token ids that look mixed and hold no special token."""
    return [first + (i * step + i * i) % (vocabulary - first) for i in range(count)]


def encoders(kind, config_class, base, config, heads, cases, ties=None, prefix=""):
    """One entry for each class of a family; only a masked language model has tied weights."""
    entries = {}
    for short, architecture in heads.items():
        entries[f"{kind.replace('_', '-')}{prefix}-{short}"] = {
            "kind": kind, "config_class": config_class, "base": base,
            "config": {"architectures": [architecture], **config, **({"id2label": LABELS} if short in ("text-labels", "token-labels") else {})},
            "ties": (ties or {}) if "MaskedLM" in architecture else {},
            "cases": cases if short == "model" else [case for case in cases if len(case["ids"]) < 30],
        }
    return entries


def plain(vocabulary, *lengths):
    return [{"ids": row(n, vocabulary, 7 + n)} for n in lengths]


def segments(vocabulary, *lengths):
    return [{"ids": row(n, vocabulary, 7 + n), "types": [0 if i < (n + 1) // 2 else 1 for i in range(n)]} for n in lengths]


MODELS = {
    **encoders(
        "electra", "ElectraConfig", "electra",
        {"model_type": "electra", "vocab_size": 40, "embedding_size": 12, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
         "intermediate_size": 24, "hidden_act": "gelu", "max_position_embeddings": 48, "type_vocab_size": 2, "layer_norm_eps": 1e-12, "pad_token_id": 0},
        {"model": "ElectraModel", "discriminator": "ElectraForPreTraining", "masked-lm": "ElectraForMaskedLM", "text-labels": "ElectraForSequenceClassification",
         "token-labels": "ElectraForTokenClassification", "spans": "ElectraForQuestionAnswering"},
        segments(40, 1, 6, 17), {"generator_lm_head.weight": "electra.embeddings.word_embeddings.weight"}),
    **encoders(
        "electra", "ElectraConfig", "electra",
        {"model_type": "electra", "vocab_size": 40, "embedding_size": 16, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4,
         "intermediate_size": 24, "hidden_act": "gelu_new", "max_position_embeddings": 48, "type_vocab_size": 2, "layer_norm_eps": 1e-3, "pad_token_id": 0},
        {"text-labels": "ElectraForSequenceClassification"}, segments(40, 2, 9), prefix="-one-width"),
    **encoders(
        "mpnet", "MPNetConfig", "mpnet",
        {"model_type": "mpnet", "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24,
         "hidden_act": "gelu", "max_position_embeddings": 170, "relative_attention_num_buckets": 32, "layer_norm_eps": 1e-5, "pad_token_id": 1,
         "bos_token_id": 0, "eos_token_id": 2},
        {"model": "MPNetModel", "masked-lm": "MPNetForMaskedLM", "text-labels": "MPNetForSequenceClassification", "token-labels": "MPNetForTokenClassification",
         "spans": "MPNetForQuestionAnswering"},
        plain(40, 1, 6, 140), {"lm_head.decoder.weight": "mpnet.embeddings.word_embeddings.weight", "lm_head.decoder.bias": "lm_head.bias"}),
}

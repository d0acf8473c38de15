"""The tiny GGUF models that record.py records: metadata, and the tensors of the file and of each layer."""

VOCABULARY, HIDDEN, INNER, CONTEXT = 40, 32, 48, 64
GATED = ("ffn_gate", "ffn_up", "ffn_down")


def model(architecture, layers=2, heads=4, kv_heads=2, width=8, norms="rms", head=True, norm_bias=False, bias=(), feed=GATED, outer=(), extra=(), inner=INNER,
          layer_norms=("attn_norm", "ffn_norm"), qkv=False, rope=True, **settings):
    """norms: rms or layer; bias: the parts of a layer that have one; outer, extra: further tensors of the file and of each layer."""
    metadata = {
        "block_count": layers, "context_length": CONTEXT, "embedding_length": HIDDEN, "feed_forward_length": inner, "vocab_size": VOCABULARY,
        "attention.head_count": heads, "attention.head_count_kv": kv_heads,
        "attention.layer_norm_rms_epsilon" if norms == "rms" else "attention.layer_norm_epsilon": 1e-5,
        **({"rope.freq_base": 10000.0} if rope else {}),
        **{key.replace("__", "."): value for key, value in settings.items()}}
    tensors = {"token_embd.weight": [VOCABULARY, HIDDEN], **dict(outer), "output_norm.weight": [HIDDEN]}
    if norm_bias:
        tensors["output_norm.bias"] = [HIDDEN]
    if head:
        tensors["output.weight"] = [VOCABULARY, HIDDEN]
    queries, keys = heads * width, kv_heads * width
    rows = {**({"attn_qkv": queries + 2 * keys} if qkv else {"attn_q": queries, "attn_k": keys, "attn_v": keys}), "attn_output": HIDDEN,
            **{part: HIDDEN if part == "ffn_down" else inner for part in feed}}
    columns = {"attn_output": queries, "ffn_down": inner}
    layer = {}
    for norm in layer_norms:
        layer[f"{norm}.weight"] = [HIDDEN]
        if norm_bias:
            layer[f"{norm}.bias"] = [HIDDEN]
    for part, count in rows.items():
        layer[f"{part}.weight"] = [count, columns.get(part, HIDDEN)]
        if part in bias:
            layer[f"{part}.bias"] = [count]
    layer.update(dict(extra))
    return {"architecture": architecture, "metadata": metadata, "tensors": tensors, "layer": layer}


def layer_normed(architecture, **settings):
    return model(architecture, norms="layer", norm_bias=True, **settings)


def experts(inner, count=4):
    return {"ffn_gate_inp.weight": [count, HIDDEN], "ffn_gate_exps.weight": [count, inner, HIDDEN], "ffn_up_exps.weight": [count, inner, HIDDEN],
            "ffn_down_exps.weight": [count, HIDDEN, inner]}


QKV = ("attn_q", "attn_k", "attn_v")
PLAIN = ("ffn_up", "ffn_down")
ALL = ("attn_qkv", "attn_output", "ffn_up", "ffn_down")

MODELS = {
    "llama": model("llama", rope__dimension_count=8),
    "qwen2": model("qwen2", bias=QKV),
    "qwen3": model("qwen3", width=16, extra={"attn_q_norm.weight": [16], "attn_k_norm.weight": [16]}, attention__key_length=16, attention__value_length=16),
    "llama-experts": model("llama", feed=(), extra=experts(INNER), rope__dimension_count=8, expert_count=4, expert_used_count=2),
    "qwen3moe": model(
        "qwen3moe", width=16, feed=(), extra={"attn_q_norm.weight": [16], "attn_k_norm.weight": [16], **experts(24)}, attention__key_length=16,
        attention__value_length=16, expert_count=4, expert_used_count=2, expert_feed_forward_length=24),
    "phi3": model("phi3", qkv=True, feed=("ffn_up_gate", "ffn_down"), rope__dimension_count=8, attention__sliding_window=0),
    "gemma": model("gemma", width=16, head=False, attention__key_length=16, attention__value_length=16),
    "gemma2": model(
        "gemma2", head=False, width=16, layer_norms=("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"), attention__key_length=16,
        attention__value_length=16, attention__sliding_window=6, attn_logit_softcapping=50.0, final_logit_softcapping=30.0),
    "gemma3": model(
        "gemma3", layers=6, head=False, width=16, layer_norms=("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"), attention__key_length=16,
        attention__value_length=16, attention__sliding_window=6, extra={"attn_q_norm.weight": [16], "attn_k_norm.weight": [16]}),
    "gpt2": layer_normed("gpt2", kv_heads=4, qkv=True, feed=PLAIN, bias=ALL, head=False, rope=False, outer={"position_embd.weight": [CONTEXT, HIDDEN]}),
    "gptneox": layer_normed("gptneox", kv_heads=4, qkv=True, feed=PLAIN, bias=ALL, rope__dimension_count=4, use_parallel_residual=True),
    "olmo2": model(
        "olmo2", layer_norms=("post_attention_norm", "post_ffw_norm"), extra={"attn_q_norm.weight": [32], "attn_k_norm.weight": [16]}),
    "smollm3": model("smollm3", layers=4, head=False),
    "granite": model(
        "granite", head=False, attention__scale=0.3, embedding_scale=12.0, residual_scale=0.22, logit_scale=3.0, rope__dimension_count=8),
    "granite-plain": model("granite", logit_scale=2.0),
    "command-r": model("command-r", head=False, norms="layer", layer_norms=("attn_norm",), logit_scale=0.0625, rope__scaling__type="none"),
    "command-r-norms": model(
        "command-r", layers=64, head=False, norms="layer", layer_norms=("attn_norm",), logit_scale=0.0625,
        extra={"attn_q_norm.weight": [4, 8], "attn_k_norm.weight": [2, 8]}),
    "stablelm": layer_normed("stablelm", bias=QKV, rope__dimension_count=4, use_parallel_residual=False),
    "stablelm-norms": layer_normed(
        "stablelm", layer_norms=("attn_norm",), rope__dimension_count=2, use_parallel_residual=True,
        extra={"attn_q_norm.weight": [4, 8], "attn_k_norm.weight": [2, 8]}),
    "falcon": layer_normed("falcon", kv_heads=1, qkv=True, feed=PLAIN, layer_norms=("attn_norm",), head=False, inner=4 * HIDDEN),
    "falcon-groups": layer_normed("falcon", qkv=True, feed=PLAIN, layer_norms=("attn_norm", "attn_norm_2"), inner=4 * HIDDEN),
    "falcon-one-norm": layer_normed("falcon", qkv=True, feed=PLAIN, layer_norms=("attn_norm",), inner=4 * HIDDEN),
    "bloom": layer_normed(
        "bloom", kv_heads=4, qkv=True, feed=PLAIN, bias=ALL, head=False, rope=False, inner=4 * HIDDEN,
        outer={"token_embd_norm.weight": [HIDDEN], "token_embd_norm.bias": [HIDDEN]}),
    "mpt": model("mpt", norms="layer", kv_heads=4, qkv=True, feed=PLAIN, head=False, rope=False, inner=4 * HIDDEN, attention__max_alibi_bias=8.0),
    "phi2": layer_normed(
        "phi2", kv_heads=4, bias=("attn_q", "attn_k", "attn_v", *ALL), feed=PLAIN, layer_norms=("attn_norm",), rope__dimension_count=4, inner=4 * HIDDEN,
        outer={"output.bias": [VOCABULARY]}),
    "phi2-one-matrix": layer_normed(
        "phi2", kv_heads=4, qkv=True, bias=ALL, feed=PLAIN, layer_norms=("attn_norm",), rope__dimension_count=4, inner=4 * HIDDEN,
        outer={"output.bias": [VOCABULARY]}),
}

# Phi 3 has one matrix for gate and up.
MODELS["phi3"]["layer"] = {name.replace("ffn_up_gate", "ffn_up"): [2 * INNER, HIDDEN] if "up_gate" in name else shape for name, shape in MODELS["phi3"]["layer"].items()}

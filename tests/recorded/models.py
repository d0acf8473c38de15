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


def decoder(kind, config_class, config, lengths=(1, 5, 24), tied=None):
    """tied: the embedding that is the head too."""
    return {"kind": kind, "config_class": config_class, "config": config, "cases": plain(config["vocab_size"], *lengths), "ties": {"lm_head.weight": tied} if tied else {}}


def llama_like(kind, config_class, architecture, tied=True, **config):
    """A decoder of Llama's sizes and names."""
    return decoder(kind, config_class, {
        "architectures": [architecture], "model_type": kind, "vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_act": "silu", "max_position_embeddings": 64,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}, "tie_word_embeddings": tied, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
        **config}, tied="model.embed_tokens.weight" if tied else None)


def translations(vocabulary, pad, start, *lengths):
    return [{"source": row(n, vocabulary, 5 + n), "ids": [start, *row(m, vocabulary, 3 + m)]} for n, m in lengths]


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
    "smollm3": decoder("smollm3", "SmolLM3Config", {
        "architectures": ["SmolLM3ForCausalLM"], "model_type": "smollm3", "vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 4,
        "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_act": "silu", "max_position_embeddings": 64, "rms_norm_eps": 1e-6, "attention_bias": False,
        "mlp_bias": False, "no_rope_layers": [1, 1, 1, 0], "no_rope_layer_interval": 4, "layer_types": ["full_attention"] * 4, "use_sliding_window": False,
        "sliding_window": None, "rope_parameters": {"rope_type": "default", "rope_theta": 5000.0}, "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2,
        "pad_token_id": 3}, tied="model.embed_tokens.weight"),
    "smollm3-windows": decoder("smollm3", "SmolLM3Config", {
        "architectures": ["SmolLM3ForCausalLM"], "model_type": "smollm3", "vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 3,
        "num_attention_heads": 2, "num_key_value_heads": 1, "hidden_act": "silu", "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "attention_bias": True,
        "mlp_bias": True, "no_rope_layer_interval": 2, "use_sliding_window": True, "sliding_window": 7,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}, "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3}),
    **encoders(
        "modernbert", "ModernBertConfig", "model",
        {"model_type": "modernbert", "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 24,
         "hidden_activation": "gelu", "max_position_embeddings": 64, "norm_eps": 1e-5, "norm_bias": False, "attention_bias": False, "mlp_bias": False,
         "decoder_bias": True, "classifier_bias": False, "classifier_activation": "gelu", "classifier_pooling": "mean", "local_attention": 6,
         "global_attn_every_n_layers": 3, "layer_types": ["full_attention", "sliding_attention", "sliding_attention", "full_attention"],
         "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 160000.0}, "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}},
         "pad_token_id": 0, "reference_compile": False},
        {"model": "ModernBertModel", "masked-lm": "ModernBertForMaskedLM", "text-labels": "ModernBertForSequenceClassification",
         "token-labels": "ModernBertForTokenClassification", "spans": "ModernBertForQuestionAnswering"},
        plain(40, 1, 6, 23), {"decoder.weight": "model.embeddings.tok_embeddings.weight"}),
    **encoders(
        "modernbert", "ModernBertConfig", "model",
        {"model_type": "modernbert", "vocab_size": 40, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 20,
         "hidden_activation": "gelu", "max_position_embeddings": 64, "norm_eps": 1e-3, "norm_bias": True, "attention_bias": True, "mlp_bias": True,
         "decoder_bias": False, "classifier_bias": True, "classifier_activation": "relu", "classifier_pooling": "cls", "local_attention": 9,
         "global_attn_every_n_layers": 2, "layer_types": ["full_attention", "sliding_attention", "full_attention"],
         "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 500.0}, "sliding_attention": {"rope_type": "default", "rope_theta": 20.0}},
         "pad_token_id": 0, "reference_compile": False},
        {"masked-lm": "ModernBertForMaskedLM", "text-labels": "ModernBertForSequenceClassification"},
        plain(40, 2, 19), {"decoder.weight": "model.embeddings.tok_embeddings.weight"}, prefix="-biases"),
    **encoders(
        "deberta_v2", "DebertaV2Config", "deberta",
        {"model_type": "deberta-v2", "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24,
         "hidden_act": "gelu", "max_position_embeddings": 80, "max_relative_positions": -1, "relative_attention": True, "position_buckets": 8,
         "norm_rel_ebd": "layer_norm", "share_att_key": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False, "type_vocab_size": 0,
         "layer_norm_eps": 1e-7, "pooler_hidden_act": "gelu", "pooler_hidden_size": 16, "pooler_dropout": 0, "legacy": True, "pad_token_id": 0},
        {"model": "DebertaV2Model", "masked-lm": "DebertaV2ForMaskedLM", "text-labels": "DebertaV2ForSequenceClassification",
         "token-labels": "DebertaV2ForTokenClassification", "spans": "DebertaV2ForQuestionAnswering"},
        plain(40, 1, 6, 23, 75), {"cls.predictions.decoder.weight": "deberta.embeddings.word_embeddings.weight", "cls.predictions.decoder.bias": "cls.predictions.bias"}),
    **encoders(
        "deberta_v2", "DebertaV2Config", "deberta",
        {"model_type": "deberta-v2", "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
         "hidden_act": "gelu", "max_position_embeddings": 40, "max_relative_positions": 12, "relative_attention": True, "position_buckets": -1,
         "norm_rel_ebd": "none", "share_att_key": False, "pos_att_type": "p2c|c2p", "position_biased_input": True, "type_vocab_size": 2,
         "conv_kernel_size": 3, "conv_act": "gelu", "embedding_size": 12, "layer_norm_eps": 1e-7, "pooler_hidden_act": "tanh", "pooler_hidden_size": 16,
         "pooler_dropout": 0, "legacy": True, "pad_token_id": 0},
        {"masked-lm": "DebertaV2ForMaskedLM", "text-labels": "DebertaV2ForSequenceClassification"},
        segments(40, 2, 9, 21), {"cls.predictions.decoder.weight": "deberta.embeddings.word_embeddings.weight", "cls.predictions.decoder.bias": "cls.predictions.bias"},
        prefix="-conv"),
    **encoders(
        "deberta_v2", "DebertaV2Config", "deberta",
        {"model_type": "deberta-v2", "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24,
         "hidden_act": "gelu", "max_position_embeddings": 40, "max_relative_positions": 30, "relative_attention": True, "position_buckets": 6,
         "norm_rel_ebd": "layer_norm", "share_att_key": False, "pos_att_type": ["c2p"], "position_biased_input": False, "type_vocab_size": 0,
         "conv_kernel_size": 0, "layer_norm_eps": 1e-7, "legacy": False, "pad_token_id": 0},
        {"masked-lm": "DebertaV2ForMaskedLM"}, plain(40, 3, 25), prefix="-new-head"),
    **encoders(
        "deberta", "DebertaConfig", "deberta",
        {"model_type": "deberta", "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24,
         "hidden_act": "gelu", "max_position_embeddings": 48, "max_relative_positions": -1, "relative_attention": True, "pos_att_type": ["c2p", "p2c"],
         "position_biased_input": False, "type_vocab_size": 0, "layer_norm_eps": 1e-7, "pooler_hidden_act": "gelu", "pooler_hidden_size": 16, "pooler_dropout": 0,
         "legacy": True, "pad_token_id": 0},
        {"model": "DebertaModel", "masked-lm": "DebertaForMaskedLM", "text-labels": "DebertaForSequenceClassification",
         "token-labels": "DebertaForTokenClassification", "spans": "DebertaForQuestionAnswering"},
        plain(40, 1, 6, 23, 44), {"cls.predictions.decoder.weight": "deberta.embeddings.word_embeddings.weight", "cls.predictions.decoder.bias": "cls.predictions.bias"}),
    **encoders(
        "deberta", "DebertaConfig", "deberta",
        {"model_type": "deberta", "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
         "hidden_act": "gelu", "max_position_embeddings": 40, "max_relative_positions": 30, "relative_attention": True, "pos_att_type": "c2p",
         "position_biased_input": True, "type_vocab_size": 2, "layer_norm_eps": 1e-5, "pooler_hidden_act": "tanh", "pooler_hidden_size": 16, "pooler_dropout": 0,
         "legacy": False, "pad_token_id": 0},
        {"masked-lm": "DebertaForMaskedLM", "text-labels": "DebertaForSequenceClassification"}, segments(40, 2, 9, 21), prefix="-segments"),
    **{f"clip-text{name}": {
        "kind": "clip", "config_class": "CLIPTextConfig", "base": "text_model",
        "config": {
            "architectures": [architecture], "model_type": "clip_text_model", "vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "projection_dim": 20,
            "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 24, "hidden_act": activation, "layer_norm_eps": 1e-5, "pad_token_id": 1,
            "bos_token_id": 38, "eos_token_id": end},
        "cases": [{"ids": [38, *row(n, 38, 7 + n), 39, *more]} for n, more in ((0, []), (5, []), (17, []), (4, [39, 39, 7]))]}
       for name, architecture, activation, end in (
           ("", "CLIPTextModel", "quick_gelu", 39), ("-old-end", "CLIPTextModel", "gelu", 2), ("-projection", "CLIPTextModelWithProjection", "quick_gelu", 39))},
    "pegasus": {
        "kind": "pegasus", "config_class": "PegasusConfig", "buffers": ["embed_positions.weight"],
        "config": {
            "architectures": ["PegasusForConditionalGeneration"], "model_type": "pegasus", "vocab_size": 40, "d_model": 16, "encoder_layers": 2, "decoder_layers": 2,
            "encoder_attention_heads": 4, "decoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_ffn_dim": 20, "activation_function": "relu",
            "max_position_embeddings": 48, "scale_embedding": True, "is_encoder_decoder": True, "normalize_before": True, "add_final_layer_norm": True,
            "static_position_embeddings": True, "pad_token_id": 0, "eos_token_id": 1, "forced_eos_token_id": 1, "tie_word_embeddings": True},
        "ties": {name: "model.shared.weight" for name in ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight")},
        "cases": translations(40, 0, 0, (1, 0), (6, 4), (30, 21))},
    "m2m-100": {
        "kind": "m2m_100", "config_class": "M2M100Config",
        "config": {
            "architectures": ["M2M100ForConditionalGeneration"], "model_type": "m2m_100", "vocab_size": 40, "d_model": 16, "encoder_layers": 2, "decoder_layers": 1,
            "encoder_attention_heads": 2, "decoder_attention_heads": 4, "encoder_ffn_dim": 24, "decoder_ffn_dim": 20, "activation_function": "relu",
            "max_position_embeddings": 48, "scale_embedding": True, "is_encoder_decoder": True, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
            "decoder_start_token_id": 2, "tie_word_embeddings": True},
        "ties": {name: "model.shared.weight" for name in ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight")},
        "cases": translations(40, 1, 2, (1, 0), (6, 4), (30, 21))},
    "granite": llama_like(
        "granite", "GraniteConfig", "GraniteForCausalLM", rms_norm_eps=1e-5, attention_bias=False, mlp_bias=False, embedding_multiplier=12.0, residual_multiplier=0.22,
        attention_multiplier=0.35, logits_scaling=3.0),
    "granite-own-head": llama_like(
        "granite", "GraniteConfig", "GraniteForCausalLM", tied=False, rms_norm_eps=1e-6, attention_bias=True, mlp_bias=True, embedding_multiplier=0.5,
        residual_multiplier=1.0, attention_multiplier=1.0, logits_scaling=0.125),
    "cohere": llama_like("cohere", "CohereConfig", "CohereForCausalLM", layer_norm_eps=1e-5, logit_scale=0.0625, use_qk_norm=False, attention_bias=False),
    "cohere-biases": llama_like(
        "cohere", "CohereConfig", "CohereForCausalLM", tied=False, hidden_size=24, num_attention_heads=2, num_key_value_heads=1, layer_norm_eps=1e-3, logit_scale=2.0,
        use_qk_norm=False, attention_bias=True),
    "cohere-head-norms": llama_like(
        "cohere", "CohereConfig", "CohereForCausalLM", hidden_size=24, num_attention_heads=4, num_key_value_heads=2, layer_norm_eps=1e-3, logit_scale=0.5, use_qk_norm=True,
        attention_bias=False),
    "stablelm": llama_like(
        "stablelm", "StableLmConfig", "StableLmForCausalLM", tied=False, layer_norm_eps=1e-5, use_qkv_bias=True, qk_layernorm=False, use_parallel_residual=False,
        num_attention_heads=2, rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.25}),
    "stablelm-parallel": llama_like(
        "stablelm", "StableLmConfig", "StableLmForCausalLM", tied=False, layer_norm_eps=1e-3, use_qkv_bias=False, qk_layernorm=False, use_parallel_residual=True,
        num_attention_heads=2, num_key_value_heads=1, rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}),
    "stablelm-head-norms": llama_like(
        "stablelm", "StableLmConfig", "StableLmForCausalLM", tied=False, hidden_size=32, layer_norm_eps=1e-3, use_qkv_bias=False, qk_layernorm=True, use_parallel_residual=True,
        num_attention_heads=2, num_key_value_heads=1, rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.25}),
    "phi": llama_like(
        "phi", "PhiConfig", "PhiForCausalLM", tied=False, num_attention_heads=2, num_key_value_heads=2, hidden_act="gelu_new", layer_norm_eps=1e-5, qk_layernorm=False,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}),
    **{f"falcon{name}": decoder("falcon", "FalconConfig", {
        "architectures": ["FalconForCausalLM"], "model_type": "falcon", "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4,
        "ffn_hidden_size": 24, "layer_norm_epsilon": 1e-5, "alibi": False, "activation": "gelu", "max_position_embeddings": 64, "bos_token_id": 1, "eos_token_id": 2,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}, "tie_word_embeddings": True, **config}, tied="transformer.word_embeddings.weight")
       for name, config in {
           "-one-key": {"new_decoder_architecture": False, "multi_query": True, "parallel_attn": True, "bias": False, "num_kv_heads": 4},
           "-groups": {"new_decoder_architecture": True, "multi_query": True, "parallel_attn": True, "bias": False, "num_kv_heads": 2, "num_ln_in_parallel_attn": None},
           "-one-norm": {"new_decoder_architecture": True, "multi_query": False, "parallel_attn": True, "bias": True, "num_kv_heads": 2, "num_ln_in_parallel_attn": 1},
           "-by-head": {"new_decoder_architecture": False, "multi_query": False, "parallel_attn": False, "bias": True, "num_kv_heads": 4},
       }.items()},
    **{f"bloom-{heads}-heads": decoder("bloom", "BloomConfig", {
        "architectures": ["BloomForCausalLM"], "model_type": "bloom", "vocab_size": 40, "hidden_size": 24, "n_layer": 2, "n_head": heads, "layer_norm_epsilon": 1e-5,
        "apply_residual_connection_post_layernorm": False, "pretraining_tp": 1, "slow_but_exact": False, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3,
        "tie_word_embeddings": True}, tied="transformer.word_embeddings.weight") for heads in (4, 6)},
    **{f"opt{name}": decoder("opt", "OPTConfig", {
        "architectures": ["OPTForCausalLM"], "model_type": "opt", "vocab_size": 40, "hidden_size": 16, "ffn_dim": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
        "max_position_embeddings": 48, "activation_function": "relu", "enable_bias": True, "layer_norm_elementwise_affine": True, "pad_token_id": 1, "bos_token_id": 2,
        "eos_token_id": 2, "tie_word_embeddings": True, **config}, tied="model.decoder.embed_tokens.weight")
       for name, config in {
           "": {"do_layer_norm_before": True, "_remove_final_layer_norm": False, "word_embed_proj_dim": 16},
           "-narrow": {"do_layer_norm_before": False, "_remove_final_layer_norm": False, "word_embed_proj_dim": 12},
           "-without-last-norm": {"do_layer_norm_before": True, "_remove_final_layer_norm": True, "word_embed_proj_dim": 16},
       }.items()},
    **encoders(
        "albert", "AlbertConfig", "albert",
        {"model_type": "albert", "vocab_size": 40, "embedding_size": 12, "hidden_size": 16, "num_hidden_layers": 3, "num_hidden_groups": 1, "inner_group_num": 1,
         "num_attention_heads": 4, "intermediate_size": 24, "hidden_act": "gelu_new", "max_position_embeddings": 48, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
         "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3},
        {"model": "AlbertModel", "masked-lm": "AlbertForMaskedLM", "text-labels": "AlbertForSequenceClassification", "token-labels": "AlbertForTokenClassification",
         "spans": "AlbertForQuestionAnswering"},
        segments(40, 1, 6, 17), {"predictions.decoder.weight": "albert.embeddings.word_embeddings.weight", "predictions.decoder.bias": "predictions.bias"}),
    **encoders(
        "albert", "AlbertConfig", "albert",
        {"model_type": "albert", "vocab_size": 40, "embedding_size": 16, "hidden_size": 16, "num_hidden_layers": 5, "num_hidden_groups": 2, "inner_group_num": 2,
         "num_attention_heads": 2, "intermediate_size": 24, "hidden_act": "gelu", "max_position_embeddings": 48, "type_vocab_size": 2, "layer_norm_eps": 1e-5,
         "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3},
        {"text-labels": "AlbertForSequenceClassification"}, segments(40, 2, 9), prefix="-groups"),
    **{f"mpt{name}": decoder("mpt", "MptConfig", {
        "architectures": ["MptForCausalLM"], "model_type": "mpt", "vocab_size": 40, "d_model": 24, "n_layers": 2, "n_heads": heads, "expansion_ratio": 4,
        "max_seq_len": 64, "layer_norm_epsilon": 1e-5, "no_bias": True, "learned_pos_emb": True, "logit_scale": None, "attn_config": attention,
        "tie_word_embeddings": True}, tied="transformer.wte.weight")
       for name, heads, attention in (("", 4, {"alibi": True, "alibi_bias_max": 8, "clip_qkv": None, "softmax_scale": None, "qk_ln": False}),
                                      ("-6-heads", 6, {"alibi": True, "softmax_scale": 0.3}))},
}

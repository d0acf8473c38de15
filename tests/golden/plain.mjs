// Four families of models in double precision, as plainly as their papers put them. Nothing of the platform is used here.
// A model is { config, tensors: { name: { shape, values } } }; a matrix is an array of rows.

const rows = (tensor, width = tensor.shape.at(-1)) =>
  Array.from({ length: tensor.values.length / width }, (_, r) => Array.from(tensor.values.slice(r * width, (r + 1) * width)));
const add = (x, y) => x.map((row, r) => row.map((v, i) => v + y[r][i]));
const dot = (a, b) => a.reduce((sum, v, i) => sum + v * b[i], 0);

/** x times a matrix stored [out, in], plus a bias. */
const linear = (x, weight, bias) => {
  const matrix = rows(weight);
  return x.map(row => matrix.map((w, o) => dot(row, w) + (bias ? bias.values[o] : 0)));
};

/** x times a matrix stored [in, out], as GPT-2 has it. */
const turned = (x, weight, bias) => {
  const [into, out] = weight.shape;
  return x.map(row => Array.from({ length: out }, (_, o) => {
    let sum = bias.values[o];
    for (let i = 0; i < into; i++) {
      sum += row[i] * weight.values[i * out + o];
    }
    return sum;
  }));
};

const rmsNorm = (x, weight, epsilon) => x.map(row => {
  const root = Math.sqrt(dot(row, row) / row.length + epsilon);
  return row.map((v, i) => v / root * weight.values[i]);
});

const layerNorm = (x, weight, bias, epsilon) => x.map(row => {
  const mean = row.reduce((sum, v) => sum + v, 0) / row.length;
  const spread = Math.sqrt(row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / row.length + epsilon);
  return row.map((v, i) => (v - mean) / spread * weight.values[i] + bias.values[i]);
});

/** The error function by its power series, which is exact enough below 5; beyond that it is 1. */
const erf = x => {
  if (Math.abs(x) > 5) {
    return Math.sign(x);
  }
  let [term, sum] = [x, x];
  for (let n = 1; n < 120; n++) {
    term *= -x * x / n;
    sum += term / (2 * n + 1);
  }
  return 2 / Math.sqrt(Math.PI) * sum;
};

const activations = {
  silu: x => x / (1 + Math.exp(-x)),
  relu: x => Math.max(0, x),
  gelu: x => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  gelu_new: x => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

/** Attention of every head; keys may have fewer heads than queries. `bias(head, t, s)` is added to a score; -Infinity hides. */
const attention = (queries, keys, values, { heads, width, scale, bias }) => {
  const group = heads / (keys[0].length / width);
  return queries.map((query, t) => {
    const mixed = [];
    for (let head = 0; head < heads; head++) {
      const at = Math.floor(head / group) * width;
      const part = query.slice(head * width, (head + 1) * width);
      const scores = keys.map((key, s) => scale * dot(part, key.slice(at, at + width)) + bias(head, t, s));
      const top = Math.max(...scores);
      const shares = scores.map(score => Math.exp(score - top));
      const whole = shares.reduce((sum, v) => sum + v, 0);
      for (let i = 0; i < width; i++) {
        mixed.push(values.reduce((sum, value, s) => sum + shares[s] / whole * value[at + i], 0));
      }
    }
    return mixed;
  });
};

const causal = (head, t, s) => s <= t ? 0 : -Infinity;
const open = () => 0;

/** Logits of every position (arXiv 2302.13971; grouped keys: arXiv 2305.13245; rotary positions: arXiv 2104.09864). */
export function llama({ config, tensors }, ids) {
  const heads = config.num_attention_heads, width = config.head_dim ?? config.hidden_size / heads;
  const theta = config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10000;
  const turn = x => x.map((row, t) => {
    const out = [...row];
    for (let start = 0; start < row.length; start += width) {
      for (let i = 0; i < width / 2; i++) {
        const angle = t * theta ** (-2 * i / width);
        const [a, b] = [row[start + i], row[start + width / 2 + i]];
        out[start + i] = a * Math.cos(angle) - b * Math.sin(angle);
        out[start + width / 2 + i] = b * Math.cos(angle) + a * Math.sin(angle);
      }
    }
    return out;
  });
  const embedding = tensors["model.embed_tokens.weight"];
  let x = ids.map(id => rows(embedding)[id]);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const w = name => tensors[`model.layers.${layer}.${name}.weight`];
    const y = rmsNorm(x, w("input_layernorm"), config.rms_norm_eps);
    const mixed = attention(turn(linear(y, w("self_attn.q_proj"))), turn(linear(y, w("self_attn.k_proj"))), linear(y, w("self_attn.v_proj")),
      { heads, width, scale: 1 / Math.sqrt(width), bias: causal });
    x = add(x, linear(mixed, w("self_attn.o_proj")));
    const z = rmsNorm(x, w("post_attention_layernorm"), config.rms_norm_eps);
    const up = linear(z, w("mlp.up_proj"));
    const inner = linear(z, w("mlp.gate_proj")).map((row, r) => row.map((v, i) => activations.silu(v) * up[r][i]));
    x = add(x, linear(inner, w("mlp.down_proj")));
  }
  return linear(rmsNorm(x, tensors["model.norm.weight"], config.rms_norm_eps), tensors["lm_head.weight"] ?? embedding);
}

/** Logits of every position (GPT-2, "Language Models are Unsupervised Multitask Learners"). */
export function gpt2({ config, tensors }, ids) {
  const heads = config.n_head, width = config.n_embd / heads, epsilon = config.layer_norm_epsilon;
  const of = name => tensors[`transformer.${name}`] ?? tensors[name];
  const norm = (x, name) => layerNorm(x, of(`${name}.weight`), of(`${name}.bias`), epsilon);
  const project = (x, name) => turned(x, of(`${name}.weight`), of(`${name}.bias`));
  let x = add(ids.map(id => rows(of("wte.weight"))[id]), rows(of("wpe.weight")));
  for (let layer = 0; layer < config.n_layer; layer++) {
    const at = `h.${layer}`;
    const all = project(norm(x, `${at}.ln_1`), `${at}.attn.c_attn`);
    const [q, k, v] = [0, 1, 2].map(part => all.map(row => row.slice(part * config.n_embd, (part + 1) * config.n_embd)));
    x = add(x, project(attention(q, k, v, { heads, width, scale: 1 / Math.sqrt(width), bias: causal }), `${at}.attn.c_proj`));
    const inner = project(norm(x, `${at}.ln_2`), `${at}.mlp.c_fc`).map(row => row.map(activations[config.activation_function]));
    x = add(x, project(inner, `${at}.mlp.c_proj`));
  }
  return linear(norm(x, "ln_f"), of("wte.weight"));
}

/** Last states and pooled output (arXiv 1810.04805). */
export function bert({ config, tensors }, ids, types = ids.map(() => 0)) {
  const heads = config.num_attention_heads, width = config.hidden_size / heads;
  const norm = (x, name) => layerNorm(x, tensors[`${name}.weight`], tensors[`${name}.bias`], config.layer_norm_eps);
  const project = (x, name) => linear(x, tensors[`${name}.weight`], tensors[`${name}.bias`]);
  const table = name => rows(tensors[`embeddings.${name}_embeddings.weight`]);
  let x = norm(ids.map((id, t) => table("word")[id].map((v, i) => v + table("position")[t][i] + table("token_type")[types[t]][i])), "embeddings.LayerNorm");
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `encoder.layer.${layer}`;
    const [q, k, v] = ["query", "key", "value"].map(name => project(x, `${at}.attention.self.${name}`));
    const mixed = attention(q, k, v, { heads, width, scale: 1 / Math.sqrt(width), bias: open });
    x = norm(add(x, project(mixed, `${at}.attention.output.dense`)), `${at}.attention.output.LayerNorm`);
    const inner = project(x, `${at}.intermediate.dense`).map(row => row.map(activations[config.hidden_act]));
    x = norm(add(x, project(inner, `${at}.output.dense`)), `${at}.output.LayerNorm`);
  }
  return { states: x, pooled: project([x[0]], "pooler.dense").map(row => row.map(Math.tanh)) };
}

/** Logits of every position of the decoder (arXiv 1910.10683; ReLU, tied head). */
export function t5({ config, tensors }, source, ids) {
  const heads = config.num_heads, width = config.d_kv, epsilon = config.layer_norm_epsilon;
  const bucket = (distance, both) => {
    let count = config.relative_attention_num_buckets, first = 0, n = Math.max(0, -distance);
    if (both) {
      count /= 2;
      first = distance > 0 ? count : 0;
      n = Math.abs(distance);
    }
    const exact = Math.floor(count / 2);
    return first + (n < exact ? n : Math.min(count - 1,
      exact + Math.floor(Math.log(n / exact) / Math.log(config.relative_attention_max_distance / exact) * (count - exact))));
  };
  const relative = (stack, both) => {
    const table = rows(tensors[`${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`]);
    return (head, t, s) => both || s <= t ? table[bucket(s - t, both)][head] : -Infinity;
  };
  const attend = (at, x, memory, bias) => {
    const w = name => tensors[`${at}.${name}.weight`];
    return linear(attention(linear(x, w("q")), linear(memory, w("k")), linear(memory, w("v")), { heads, width, scale: 1, bias }), w("o"));
  };
  const stack = (name, tokens, memory) => {
    const bias = relative(name, !memory);
    let x = tokens.map(id => rows(tensors["shared.weight"])[id]);
    for (let block = 0; block < (memory ? config.num_decoder_layers : config.num_layers); block++) {
      const at = layer => `${name}.block.${block}.layer.${layer}`;
      const norm = layer => rmsNorm(x, tensors[`${at(layer)}.layer_norm.weight`], epsilon);
      const y = norm(0);
      x = add(x, attend(`${at(0)}.SelfAttention`, y, y, bias));
      if (memory) {
        x = add(x, attend(`${at(1)}.EncDecAttention`, norm(1), memory, open));
      }
      const last = memory ? 2 : 1;
      const inner = linear(norm(last), tensors[`${at(last)}.DenseReluDense.wi.weight`]).map(row => row.map(activations.relu));
      x = add(x, linear(inner, tensors[`${at(last)}.DenseReluDense.wo.weight`]));
    }
    return rmsNorm(x, tensors[`${name}.final_layer_norm.weight`], epsilon);
  };
  const out = stack("decoder", ids, stack("encoder", source, null));
  return linear(out.map(row => row.map(v => v * config.d_model ** -0.5)), tensors["shared.weight"]);
}

// Makes the golden set again: `node tests/golden/make.mjs`. Tiny models of random weights, from a seed, and what plain.mjs
// says they give. `node tests/golden/make.mjs --against FOLDER` compares plain.mjs with what transformers has recorded for
// four models in FOLDER (the folder hf-tiny of the reference models), so that it is known to be right itself.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bert, gpt2, llama, t5 } from "./plain.mjs";

const here = dirname(fileURLToPath(import.meta.url));

/** mulberry32: numbers from 0 to 1, the same everywhere. */
function chance(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const norm = /(norm|ln_\w+|LayerNorm)\.weight$/;

function weights(shapes, seed) {
  const next = chance(seed);
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => (norm.test(name) ? 1 : 0) + (next() - 0.5) * 0.5);
    return [name, { shape, values }];
  }));
}

function writeSafetensors(path, tensors) {
  let offset = 0;
  const header = {};
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  let json = JSON.stringify(header);
  json += " ".repeat((8 - json.length % 8) % 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const bodies = Object.values(tensors).map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  writeFileSync(path, Buffer.concat([length, Buffer.from(json), ...bodies]));
}

function readSafetensors(path) {
  const file = readFileSync(path);
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + length).toString());
  delete header.__metadata__;
  return Object.fromEntries(Object.entries(header).map(([name, { shape, data_offsets: [from, to] }]) =>
    [name, { shape, values: new Float32Array(file.buffer.slice(file.byteOffset + 8 + length + from, file.byteOffset + 8 + length + to)) }]));
}

const layers = (count, make) => Object.assign({}, ...Array.from({ length: count }, (_, i) => make(i)));
const pair = (name, shape, out = shape.at(-1)) => ({ [`${name}.weight`]: shape, [`${name}.bias`]: [out] });

const families = {
  llama: {
    seed: 1,
    config: {
      architectures: ["LlamaForCausalLM"], model_type: "llama", hidden_size: 32, intermediate_size: 48, num_hidden_layers: 2, num_attention_heads: 4,
      num_key_value_heads: 2, head_dim: 8, vocab_size: 64, max_position_embeddings: 64, rms_norm_eps: 1e-5, rope_theta: 5000, hidden_act: "silu",
      tie_word_embeddings: false, attention_bias: false, mlp_bias: false, bos_token_id: 1, eos_token_id: 2, torch_dtype: "float32",
    },
    shapes: {
      "model.embed_tokens.weight": [64, 32], "model.norm.weight": [32], "lm_head.weight": [64, 32],
      ...layers(2, i => Object.fromEntries(Object.entries({
        input_layernorm: [32], post_attention_layernorm: [32], "self_attn.q_proj": [32, 32], "self_attn.k_proj": [16, 32], "self_attn.v_proj": [16, 32],
        "self_attn.o_proj": [32, 32], "mlp.gate_proj": [48, 32], "mlp.up_proj": [48, 32], "mlp.down_proj": [32, 48],
      }).map(([name, shape]) => [`model.layers.${i}.${name}.weight`, shape]))),
    },
    cases: model => [[5], [1, 63, 7, 7, 30], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]].map(ids => ({ ids, logits: llama(model, ids) })),
  },
  gpt2: {
    seed: 2,
    config: {
      architectures: ["GPT2LMHeadModel"], model_type: "gpt2", n_embd: 32, n_layer: 2, n_head: 4, n_positions: 64, vocab_size: 64, layer_norm_epsilon: 1e-5,
      activation_function: "gelu_new", bos_token_id: 0, eos_token_id: 0, tie_word_embeddings: true, torch_dtype: "float32",
    },
    shapes: {
      "transformer.wte.weight": [64, 32], "transformer.wpe.weight": [64, 32], ...pair("transformer.ln_f", [32]),
      ...layers(2, i => ({
        ...pair(`transformer.h.${i}.ln_1`, [32]), ...pair(`transformer.h.${i}.attn.c_attn`, [32, 96]), ...pair(`transformer.h.${i}.attn.c_proj`, [32, 32]),
        ...pair(`transformer.h.${i}.ln_2`, [32]), ...pair(`transformer.h.${i}.mlp.c_fc`, [32, 128]), ...pair(`transformer.h.${i}.mlp.c_proj`, [128, 32]),
      })),
    },
    cases: model => [[9], [63, 0, 17, 17, 3], [16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]].map(ids => ({ ids, logits: gpt2(model, ids) })),
  },
  bert: {
    seed: 3,
    config: {
      architectures: ["BertModel"], model_type: "bert", hidden_size: 32, intermediate_size: 48, num_hidden_layers: 2, num_attention_heads: 4, hidden_act: "gelu",
      vocab_size: 64, max_position_embeddings: 64, type_vocab_size: 2, layer_norm_eps: 1e-12, pad_token_id: 0, torch_dtype: "float32",
    },
    shapes: {
      "embeddings.word_embeddings.weight": [64, 32], "embeddings.position_embeddings.weight": [64, 32], "embeddings.token_type_embeddings.weight": [2, 32],
      ...pair("embeddings.LayerNorm", [32]), ...pair("pooler.dense", [32, 32], 32),
      ...layers(2, i => ({
        ...Object.assign({}, ...["self.query", "self.key", "self.value", "output.dense"].map(name => pair(`encoder.layer.${i}.attention.${name}`, [32, 32]))),
        ...pair(`encoder.layer.${i}.attention.output.LayerNorm`, [32]), ...pair(`encoder.layer.${i}.intermediate.dense`, [48, 32], 48),
        ...pair(`encoder.layer.${i}.output.dense`, [32, 48], 32), ...pair(`encoder.layer.${i}.output.LayerNorm`, [32]),
      })),
    },
    cases: model => [[[9], [0]], [[2, 40, 41, 3, 50, 3], [0, 0, 0, 0, 1, 1]], [[2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 3], Array(11).fill(0)]]
      .map(([ids, types]) => ({ ids, types, ...bert(model, ids, types) })),
  },
  t5: {
    seed: 4,
    config: {
      architectures: ["T5ForConditionalGeneration"], model_type: "t5", d_model: 32, d_kv: 8, d_ff: 48, num_layers: 2, num_decoder_layers: 2, num_heads: 4,
      relative_attention_num_buckets: 8, relative_attention_max_distance: 16, feed_forward_proj: "relu", dense_act_fn: "relu", is_gated_act: false,
      layer_norm_epsilon: 1e-6, vocab_size: 64, tie_word_embeddings: true, is_encoder_decoder: true, pad_token_id: 0, eos_token_id: 1,
      decoder_start_token_id: 0, torch_dtype: "float32",
    },
    shapes: {
      "shared.weight": [64, 32],
      ...Object.assign({}, ...[["encoder", ["SelfAttention"]], ["decoder", ["SelfAttention", "EncDecAttention"]]].map(([stack, kinds]) => ({
        ...layers(2, i => Object.assign({
          [`${stack}.block.${i}.layer.${kinds.length}.layer_norm.weight`]: [32],
          [`${stack}.block.${i}.layer.${kinds.length}.DenseReluDense.wi.weight`]: [48, 32],
          [`${stack}.block.${i}.layer.${kinds.length}.DenseReluDense.wo.weight`]: [32, 48],
        }, ...kinds.map((kind, layer) => ({
          [`${stack}.block.${i}.layer.${layer}.layer_norm.weight`]: [32],
          ...Object.fromEntries(["q", "k", "v", "o"].map(name => [`${stack}.block.${i}.layer.${layer}.${kind}.${name}.weight`, [32, 32]])),
        })))),
        [`${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`]: [8, 4],
        [`${stack}.final_layer_norm.weight`]: [32],
      }))),
    },
    cases: model => [[[7, 1], [0]], [[3, 60, 22, 9, 1], [0, 12, 33, 8]], [[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 1], [0, 5, 4, 3, 2, 6, 7, 8, 9, 10, 11]]]
      .map(([source, ids]) => ({ source, ids, logits: t5(model, source, ids) })),
  },
};

function make() {
  for (const [name, { seed, config, shapes, cases }] of Object.entries(families)) {
    const model = { config, tensors: weights(shapes, seed) };
    const folder = join(here, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "config.json"), `${JSON.stringify(config, null, 1)}\n`);
    writeSafetensors(join(folder, "model.safetensors"), model.tensors);
    const short = (key, value) => typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(8)) : value;
    writeFileSync(join(folder, "expected.json"), `[\n${cases(model).map(row => JSON.stringify(row, short)).join(",\n")}\n]\n`);
  }
}

function compare(folder) {
  const known = { "llama-gqa": llama, gpt2, "bert-base": bert, "t5-relu-tied": t5 };
  for (const [name, run] of Object.entries(known)) {
    const at = file => join(folder, name, file);
    const model = { config: JSON.parse(readFileSync(at("config.json"))), tensors: readSafetensors(at("model.safetensors")) };
    const recorded = readSafetensors(at("reference.safetensors"));
    let [cases, worst] = [0, 0];
    for (const test of JSON.parse(readFileSync(at("reference.json"))).cases) {
      const ids = test.input_ids?.[0];
      const found = test.kind === "forward" && run === t5 ? { logits: t5(model, ids, test.decoder_input_ids[0]) }
        : test.kind === "forward" ? { logits: run(model, ids) }
          : test.kind === "encode" && run === bert ? bert(model, ids, test.token_type_ids?.[0]) : null;
      if (found?.logits) {
        found.last_logits = found.logits.slice(-1);
      }
      for (const [role, place] of Object.entries({ logits: "logits", last_logits: "last_logits", last_hidden_state: "states", pooler_output: "pooled" })) {
        if (found?.[place] && test.tensors[role]) {
          const values = recorded[test.tensors[role]].values;
          const mine = found[place].flat();
          if (mine.length !== values.length) {
            throw new Error(`${name}, ${test.name}, ${role}: ${mine.length} values instead of ${values.length}`);
          }
          worst = mine.reduce((most, v, i) => Math.max(most, Math.abs(v - values[i])), worst);
          cases++;
        }
      }
    }
    console.log(`${name}: ${cases} outputs, largest difference ${worst.toExponential(1)}`);
    if (cases === 0 || !(worst < 1e-4)) {
      process.exitCode = 1;
    }
  }
}

process.argv[2] === "--against" ? compare(process.argv[3]) : make();

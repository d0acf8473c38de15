using LlmOs.Formats;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>Llama written out in double precision, as plainly as the papers do: what the graph is compared with.</summary>
internal sealed class PlainLlama(ModelConfig config, IWeightSource weights)
{
    /// <summary>Logits of every position.</summary>
    public double[][] Forward(int[] ids)
    {
        var embedding = Weight("model.embed_tokens.weight");
        var states = ids.Select(id => embedding[(id * config.Hidden)..((id + 1) * config.Hidden)]).ToArray();
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            AddTo(states, Attention(prefix + "self_attn.", Norm(states, prefix + "input_layernorm")));
            AddTo(states, Mlp(prefix + "mlp.", Norm(states, prefix + "post_attention_layernorm")));
        }

        var head = config.TiedEmbeddings ? embedding : Weight("lm_head.weight");
        return [.. Norm(states, "model.norm").Select(x => Multiply(x, head, null))];
    }

    private double[][] Attention(string prefix, double[][] x)
    {
        var queries = Linear(x, prefix + "q_proj", config.AttentionBias);
        var keys = Linear(x, prefix + "k_proj", config.AttentionBias);
        var values = Linear(x, prefix + "v_proj", config.AttentionBias);
        var (width, group) = (config.HeadDim, config.Heads / config.KvHeads);
        var mixed = x.Select(_ => new double[config.Heads * width]).ToArray();
        for (var t = 0; t < x.Length; t++)
        {
            Rotate(queries[t], t);
            Rotate(keys[t], t);
            for (var head = 0; head < config.Heads; head++)
            {
                var (q, k) = (head * width, head / group * width);
                var scores = Enumerable.Range(0, t + 1)
                    .Select(s => Enumerable.Range(0, width).Sum(i => queries[t][q + i] * keys[s][k + i]) / Math.Sqrt(width)).ToArray();
                var shares = scores.Select(s => Math.Exp(s - scores.Max())).ToArray();
                for (var i = 0; i < width; i++)
                {
                    mixed[t][q + i] = shares.Select((share, s) => share * values[s][k + i]).Sum() / shares.Sum();
                }
            }
        }

        return Linear(mixed, prefix + "o_proj", config.AttentionBias);
    }

    private double[][] Mlp(string prefix, double[][] x)
    {
        var gate = Linear(x, prefix + "gate_proj", config.MlpBias);
        var up = Linear(x, prefix + "up_proj", config.MlpBias);
        var inner = gate.Zip(up, (g, u) => g.Zip(u, (a, b) => a / (1 + Math.Exp(-a)) * b).ToArray()).ToArray();
        return Linear(inner, prefix + "down_proj", config.MlpBias);
    }

    /// <summary>Turns element i of a head with element i + half, by the position times theta^(-2i/width), divided by a linear factor.</summary>
    private void Rotate(double[] heads, int position)
    {
        var half = config.HeadDim / 2;
        for (var start = 0; start < heads.Length; start += config.HeadDim)
        {
            for (var i = 0; i < half; i++)
            {
                var angle = position / config.Rope.Factor * Math.Pow(config.Rope.Theta, -2.0 * i / config.HeadDim);
                var (a, b) = (heads[start + i], heads[start + half + i]);
                heads[start + i] = a * Math.Cos(angle) - b * Math.Sin(angle);
                heads[start + half + i] = b * Math.Cos(angle) + a * Math.Sin(angle);
            }
        }
    }

    private double[][] Norm(double[][] x, string name)
    {
        var gamma = Weight(name + ".weight");
        return [.. x.Select(row =>
        {
            var root = Math.Sqrt(row.Average(v => v * v) + config.NormEpsilon);
            return row.Select((v, i) => v / root * gamma[i]).ToArray();
        })];
    }

    private double[][] Linear(double[][] x, string name, bool bias)
    {
        var (matrix, add) = (Weight(name + ".weight"), bias ? Weight(name + ".bias") : null);
        return [.. x.Select(row => Multiply(row, matrix, add))];
    }

    private static double[] Multiply(double[] row, double[] matrix, double[]? bias)
    {
        var result = new double[matrix.Length / row.Length];
        for (var o = 0; o < result.Length; o++)
        {
            result[o] = bias?[o] ?? 0;
            for (var i = 0; i < row.Length; i++)
            {
                result[o] += row[i] * matrix[o * row.Length + i];
            }
        }

        return result;
    }

    private static void AddTo(double[][] states, double[][] more)
    {
        for (var t = 0; t < states.Length; t++)
        {
            for (var i = 0; i < states[t].Length; i++)
            {
                states[t][i] += more[t][i];
            }
        }
    }

    private double[] Weight(string name)
    {
        var values = new float[weights.Find(name)!.Elements];
        weights.Read(name, 0, values);
        return Array.ConvertAll(values, v => (double)v);
    }
}

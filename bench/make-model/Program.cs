using LlmOs.MakeModel;

if (args.Length < 2 || !ModelShapes.All.TryGetValue(args[0], out var shape))
{
    Console.Error.WriteLine(
        $"""
        Writes a model of a known shape with random weights, the same at every run, to compare programs on equal work.

        Usage: make-model SHAPE FOLDER [safetensors|gguf] [TYPE]
          SHAPE   {string.Join(", ", ModelShapes.All.Keys)}
          FOLDER  made if it is not there
          TYPE    safetensors: f32 (default), f16, bf16; gguf: f32 (default), f16, q8_0, q4_0
        """);
    return 2;
}

var folder = Directory.CreateDirectory(args[1]).FullName;
var format = args.ElementAtOrDefault(2) ?? "safetensors";
var type = args.ElementAtOrDefault(3) ?? "f32";
try
{
    switch (format)
    {
        case "safetensors":
            SafetensorsFolder.Write(shape, folder, type);
            break;
        case "gguf":
            GgufFile.Write(shape, Path.Combine(folder, $"{args[0]}-{type}.gguf"), args[0], type);
            break;
        default:
            throw new ArgumentException($"The format is '{format}'; expected safetensors or gguf.");
    }
}
catch (ArgumentException refused)
{
    Console.Error.WriteLine(refused.Message);
    return 2;
}

return 0;

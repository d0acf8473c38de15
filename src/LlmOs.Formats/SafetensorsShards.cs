namespace LlmOs.Formats;

/// <summary>The safetensors files of one model, read as one. A tensor that two files hold is refused.</summary>
public sealed class SafetensorsShards : IWeightSource, IDisposable
{
    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, SafetensorsFile> _owners = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _aliases = new(StringComparer.Ordinal);
    private readonly List<TensorInfo> _tensors = [];

    private SafetensorsShards()
    {
    }

    public IReadOnlyCollection<TensorInfo> Tensors => _tensors;

    public IReadOnlyDictionary<string, string> Aliases => _aliases;

    /// <param name="files">Published name and path of each file; they differ where files are stored by their hash.</param>
    public static SafetensorsShards Open(IEnumerable<(string Name, string Path)> files)
    {
        var shards = new SafetensorsShards();
        try
        {
            foreach (var (name, path) in files)
            {
                shards.Add(SafetensorsFile.Open(path, name), name);
            }

            shards.AddAliases();
            return shards;
        }
        catch
        {
            shards.Dispose();
            throw;
        }
    }

    public TensorInfo? Find(string name) => _owners.TryGetValue(name, out var file) ? file.Find(name) : null;

    public void Read(string name, long offset, Span<float> destination) => _owners[name].Read(name, offset, destination);

    public void Dispose() => _files.ForEach(f => f.Dispose());

    private void Add(SafetensorsFile file, string name)
    {
        _files.Add(file);
        foreach (var tensor in file.Tensors)
        {
            if (!_owners.TryAdd(tensor.Name, file))
            {
                throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{name}: tensor '{tensor.Name}' is in another file of the model too.");
            }

            _tensors.Add(tensor);
        }
    }

    /// <summary>A tensor of any file goes before a note of another one.</summary>
    private void AddAliases()
    {
        foreach (var file in _files)
        {
            foreach (var (alias, name) in file.Aliases)
            {
                if (_owners.TryAdd(alias, file))
                {
                    _aliases.Add(alias, name);
                }
            }
        }
    }
}

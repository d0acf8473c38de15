using System.Buffers.Binary;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Models.Import.Bundles;

/// <summary>Writes a bundle: eight bytes that say what it is, the manifest's length (little-endian) and JSON, then each file's bytes in the manifest's order.</summary>
internal static class BundleWriter
{
    public static async Task WriteAsync(BundleManifest manifest, ArtifactStore store, Stream target, CancellationToken cancel)
    {
        var json = manifest.ToJson();
        var head = new byte[BundleManifest.Magic.Length + sizeof(int)];
        BundleManifest.Magic.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(BundleManifest.Magic.Length), json.Length);
        await target.WriteAsync(head, cancel);
        await target.WriteAsync(json, cancel);
        foreach (var file in manifest.Files)
        {
            await using var content = new FileStream(store.PathOf(file.Sha256), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
            await content.CopyToAsync(target, cancel);
        }
    }
}

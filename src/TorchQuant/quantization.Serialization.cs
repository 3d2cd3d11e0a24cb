using TorchQuant.Serialization;
using static TorchSharp.torch;

namespace TorchQuant;

public static partial class quantization
{
    /// <summary>
    /// Writes a model with its quantized modules to a file in the safetensors format: plain int8 and float16 weights, scales, zero points, biases, every other parameter
    /// and persistent buffer as it is, and in the header the version and how each quantized module is rebuilt. The file of an int8 model is a quarter of the float one's.
    /// It appears whole or not at all.
    /// </summary>
    /// <param name="model">The model; it is not changed.</param>
    /// <param name="path">The file; one that exists is replaced. Usual extension: <c>.safetensors</c>.</param>
    /// <exception cref="ArgumentException">The model is itself a quantized module, or holds a tensor of a type that the format does not know.</exception>
    public static void save(nn.Module model, string path) => Save(model, (tensors, metadata) => SafeTensors.Write(path, tensors, metadata));

    /// <summary>As <see cref="save(nn.Module, string)"/>, to a stream, which stays open.</summary>
    /// <param name="model">The model; it is not changed.</param>
    /// <param name="stream">Where to write.</param>
    /// <exception cref="ArgumentException">The model is itself a quantized module, or holds a tensor of a type that the format does not know.</exception>
    public static void save(nn.Module model, Stream stream) => Save(model, (tensors, metadata) => SafeTensors.Write(stream, tensors, metadata));

    /// <summary>
    /// Loads what <see cref="save(nn.Module, string)"/> wrote into a model of the same class, float, fused, prepared or quantized: its modules are replaced as they were when the file was
    /// written (what had been fused away becomes Identity), all other tensors are copied in. The result is in eval mode, as <c>quantize_dynamic</c> leaves a model, and computes the same bits as the
    /// model that was saved does in eval mode.
    /// </summary>
    /// <param name="model">A model of the class that was saved; its weights do not matter.</param>
    /// <param name="path">The file.</param>
    /// <param name="inplace">Whether to change and return the model itself; otherwise a copy is returned and the model stays as it is.</param>
    /// <param name="hook_fallback">See <see cref="ModuleTree.Replace"/>.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="QuantizedFileException">The file is damaged, of another kind or version, or of another model. The model is unchanged.</exception>
    /// <exception cref="ModuleReplacementException">The model's fields cannot hold the quantized modules. The model is unchanged.</exception>
    public static T load<T>(T model, string path, bool inplace = false, bool hook_fallback = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        var content = SafeTensors.Read(path);
        return SafeTensors.Naming(path, () => Load(model, content, inplace, hook_fallback));
    }

    /// <summary>As <see cref="load{T}(T, string, bool, bool)"/>, from a stream that can seek, read to its end; it stays open.</summary>
    /// <param name="model">A model of the class that was saved.</param>
    /// <param name="stream">Where to read.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <param name="hook_fallback">See <see cref="ModuleTree.Replace"/>.</param>
    /// <exception cref="QuantizedFileException">The data is damaged, of another kind or version, or of another model. The model is unchanged.</exception>
    /// <exception cref="ModuleReplacementException">The model's fields cannot hold the quantized modules. The model is unchanged.</exception>
    public static T load<T>(T model, Stream stream, bool inplace = false, bool hook_fallback = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        return Load(model, SafeTensors.Read(stream), inplace, hook_fallback);
    }

    private static void Save(nn.Module model, Action<IEnumerable<KeyValuePair<string, Tensor>>, IReadOnlyDictionary<string, string>> write)
    {
        ArgumentNullException.ThrowIfNull(model);
        var (file, tensors, owned) = QuantizedFile.Of(model);
        try
        {
            write(tensors, file.ToMetadata());
        }
        finally
        {
            foreach (var tensor in owned) tensor.Dispose();
        }
    }

    private static T Load<T>(T model, SafeTensorsFile content, bool inplace, bool hookFallback) where T : nn.Module
    {
        using (content)
        {
            var target = inplace ? model : ModuleTree.Copy(model);
            try
            {
                var replaced = new QuantizedModelLoader(target, content).Load(hookFallback);
                if (!inplace) ReplacedModules.Dispose(replaced, target, model);
                target.eval();
                return target;
            }
            catch
            {
                if (!inplace) target.Dispose();
                throw;
            }
        }
    }
}

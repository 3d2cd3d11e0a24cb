using TorchQuant.Modules;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Copies a model so that the copy shares nothing with it. A managed module is its fields: a shallow copy of the object gets a native handle of its own, new
/// registries, and copies of what its fields hold. A module that lives in native code is built anew by its factory (<see cref="NativeModuleCopies"/>), a quantized
/// one from its exported state.
/// </summary>
internal sealed class ModuleCopier
{
    private readonly Dictionary<nn.Module, nn.Module> _memo = new(ReferenceEqualityComparer.Instance);
    private readonly List<(nn.Module Old, nn.Module Target)> _redirects = [];
    private readonly Dictionary<nn.Module, string> _paths = new(ReferenceEqualityComparer.Instance);
    private readonly List<string> _refusals = [];
    private readonly TensorCopies _tensors = new();
    private readonly ObjectCopies _objects;

    private ModuleCopier(nn.Module root)
    {
        _objects = new ObjectCopies(Copy, _tensors, (path, obstacle) => _refusals.Add($"{path}: {obstacle}"));
        foreach (var (path, module) in ModuleTree.Walk(root)) _paths.Add(module, path);
    }

    /// <summary>The copy of a whole model.</summary>
    public static T Run<T>(T model) where T : nn.Module
    {
        using var grad = no_grad();
        using var random = get_rng_state(); // factories draw first weights
        var copier = new ModuleCopier(model);
        nn.Module copy;
        try
        {
            copy = copier.Copy(model, "");
            if (copier._refusals.Count > 0) throw new ModuleCopyException(copier._refusals);
        }
        catch
        {
            copier._tensors.Dispose();
            throw;
        }
        finally
        {
            set_rng_state(random);
        }

        foreach (var (old, target) in copier._redirects) HookRedirect.Attach(old, target);
        foreach (var (original, made) in copier._memo)
            if (ModuleQConfig.TryGet(original, out var qconfig)) made.qconfig = qconfig;
        return (T)copy;
    }

    private nn.Module Copy(nn.Module module, string path)
    {
        if (_memo.TryGetValue(module, out var known)) return known;
        path = _paths.GetValueOrDefault(module, path);
        try
        {
            return Make(module, path);
        }
        catch (NotSupportedException e)
        {
            _refusals.Add($"{(path.Length == 0 ? "(the model)" : path)}: {e.Message}");
            return _memo[module] = module; // never seen by the caller: the copy is refused
        }
    }

    private nn.Module Make(nn.Module module, string path)
    {
        if (module is IQuantizedModule quantized) return Finish(module, Quantized(quantized, path), path);
        if (NativeModuleCopies.Build(module) is { } built)
        {
            NativeModuleCopies.Weights(module, built, _tensors);
            return Finish(module, built, path);
        }

        var isSequential = IsSequential(module.GetType());
        if (!isSequential && TorchSharpPrivates.Field(typeof(nn.Module), "_forwardNative").GetValue(module) is null)
            throw new NotSupportedException($"a {CSharpNames.Of(module.GetType())} keeps its options in native code, where they cannot be read");
        return Managed(module, isSequential ? nn.Sequential() : new Husk(), path);
    }

    private nn.Module Managed(nn.Module module, nn.Module husk, string path)
    {
        var copy = ObjectCopies.Shallow(module);
        _memo[module] = copy;
        husk.train(module.training);
        foreach (var name in (string[])["handle", "boxedModule", "_forwardNative"])
        {
            var field = TorchSharpPrivates.Field(typeof(nn.Module), name);
            field.SetValue(copy, field.GetValue(husk));
        }

        var (children, parameters, buffers) = (new OrderedDict<string, nn.Module>(), new OrderedDict<string, Parameter>(), new OrderedDict<string, (Tensor, bool)>());
        (TorchSharpPrivates.Submodules(copy), TorchSharpPrivates.Parameters(copy), TorchSharpPrivates.Buffers(copy)) = (children, parameters, buffers!);
        foreach (var (name, parameter) in TorchSharpPrivates.Parameters(module)) parameters.Add(name, (Parameter)_tensors.Copy(parameter));
        foreach (var (name, (buffer, persistent)) in TorchSharpPrivates.Buffers(module)) buffers.Add(name, (_tensors.Copy(buffer), persistent));
        foreach (var (name, child) in TorchSharpPrivates.Submodules(module)) children.Add(name, Copy(child, Join(path, name)));
        _objects.Fields(module, copy, typeof(nn.Module), path);
        if (HookRedirect.Of(module) is { } redirect)
        {
            ModuleHooks.TakeOff(copy); // those that hand its calls to the original's replacement
            _redirects.Add((copy, Copy(redirect.Target, path)));
        }

        return copy;
    }

    private nn.Module Finish(nn.Module module, nn.Module copy, string path)
    {
        _memo[module] = copy;
        copy.train(module.training);
        if (HookRedirect.Of(module) is { } redirect)
            _redirects.Add((copy, Copy(redirect.Target, path)));
        else if (ModuleHooks.Hookable(module) is { } hookable)
            foreach (var table in ModuleHooks.Tables(hookable)) table.SetValue(copy, _objects.Copy(table.GetValue(module), path));
        return copy;
    }

    private static nn.Module Quantized(IQuantizedModule module, string path)
    {
        var state = module.ExportState().ToDictionary(StringComparer.Ordinal);
        try
        {
            return QuantizedModules.Create(module.Kind, module.Options, state, path.Length == 0 ? module.Path : path);
        }
        finally
        {
            foreach (var tensor in state.Values) tensor.Dispose();
        }
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static bool IsSequential(Type? type)
    {
        for (; type is not null; type = type.BaseType)
            if (type == typeof(Sequential) || (type.IsGenericType && type.Assembly == typeof(torch).Assembly && type.Name.StartsWith("Sequential`", StringComparison.Ordinal))) return true;
        return false;
    }

    /// <summary>Gives its native module to a copy.</summary>
    private sealed class Husk() : nn.Module<Tensor, Tensor>("copy")
    {
        public override Tensor forward(Tensor input) => throw new InvalidOperationException("A copied module was called from native code; call it from .NET.");
    }
}

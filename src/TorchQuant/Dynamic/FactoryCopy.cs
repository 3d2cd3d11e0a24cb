using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>A copy of a model made by the user's factory, for models that cannot be copied otherwise.</summary>
internal static class FactoryCopy
{
    /// <summary>A new model with the parameters, buffers, training flags and qconfigs of the given one.</summary>
    /// <exception cref="ArgumentException">The factory's model is the model itself, or has other modules, parameters or buffers.</exception>
    public static T Make<T>(T model, Func<T> factory) where T : nn.Module
    {
        var copy = factory() ?? throw new ArgumentException("The factory gave null instead of a new model.", nameof(factory));
        if (ReferenceEquals(copy, model))
            throw new ArgumentException("The factory gave the model itself; it must make a new one, such as () => new Net(...). To change the model itself, use inplace: true.", nameof(factory));
        try
        {
            var differences = Differences(model, copy);
            if (differences.Count > 0)
                throw new ArgumentException($"The factory's model differs from the model: {string.Join("; ", differences)}.", nameof(factory));
            copy.load_state_dict(model.state_dict());
            var originals = ModuleTree.Walk(model).ToDictionary(m => m.Path, m => m.Module);
            foreach (var (path, module) in ModuleTree.Walk(copy)) // parents first: train sets the flags of all that is in a module
            {
                module.train(originals[path].training);
                if (ModuleQConfig.TryGet(originals[path], out var qconfig))
                    module.qconfig = qconfig;
            }
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    private static List<string> Differences(nn.Module model, nn.Module copy)
    {
        var modules = Compare(
            ModuleTree.Walk(model).ToDictionary(m => m.Path, m => m.Module.GetType().Name), ModuleTree.Walk(copy).ToDictionary(m => m.Path, m => m.Module.GetType().Name));
        return modules.Count > 0 ? modules : Compare(Tensors(model), Tensors(copy));
    }

    private static Dictionary<string, string> Tensors(nn.Module model) =>
        model.state_dict().ToDictionary(entry => entry.Key, entry => $"{entry.Value.dtype} [{string.Join(", ", entry.Value.shape)}]");

    private static List<string> Compare(Dictionary<string, string> expected, Dictionary<string, string> found)
    {
        var differences = new List<string>();
        foreach (var name in expected.Keys.Union(found.Keys))
        {
            var (wanted, have) = (expected.GetValueOrDefault(name), found.GetValueOrDefault(name));
            if (wanted != have)
                differences.Add($"{(name.Length == 0 ? "the model" : name)} is {have ?? "missing"} instead of {wanted ?? "absent"}");
        }
        return differences;
    }
}

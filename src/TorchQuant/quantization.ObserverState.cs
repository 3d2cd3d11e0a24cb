using static TorchSharp.torch;

namespace TorchQuant;

public static partial class quantization
{
    /// <summary>The statistics of all observers of a model, by dotted name: what <see cref="load_observer_state_dict"/> takes.</summary>
    /// <param name="model">The prepared model.</param>
    /// <returns>The observers' own tensors, not copies.</returns>
    public static Dictionary<string, Tensor> get_observer_state_dict(nn.Module model)
    {
        var state = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (path, observer) in Observers(model))
            foreach (var (name, value) in observer.state_dict())
                state[Under(path, name)] = value;
        return state;
    }

    /// <summary>Copies statistics into the observers of a model, also into observers per channel that have seen nothing, which a model's load_state_dict cannot.</summary>
    /// <param name="model">The prepared model.</param>
    /// <param name="obs_dict">Statistics by dotted name; entries that belong to no observer are ignored, as the rest of a whole state dict is.</param>
    /// <exception cref="ArgumentException">Statistics of an observer are missing; all missing names are listed, and the model is unchanged.</exception>
    public static void load_observer_state_dict(nn.Module model, IReadOnlyDictionary<string, Tensor> obs_dict)
    {
        ArgumentNullException.ThrowIfNull(obs_dict);
        var missing = get_observer_state_dict(model).Keys.Where(name => !obs_dict.ContainsKey(name)).ToList();
        if (missing.Count > 0)
            throw new ArgumentException($"The statistics lack {string.Join(", ", missing)}: they are of another model, or of one that was prepared otherwise.", nameof(obs_dict));
        foreach (var (path, observer) in Observers(model))
            observer.load_state_dict(observer.state_dict().Keys.ToDictionary(name => name, name => obs_dict[Under(path, name)]));
    }

    /// <summary>Merges what the observers of one copy of a prepared model have seen into those of another, so that calibration can be split over shards of the data:
    /// copy the prepared model by <see cref="ModuleTree.Copy"/>, run each copy on its shard, on a thread of its own if you like, and merge the copies into one. Smallest and largest values then are exactly those of
    /// one run over all data; see <see cref="UniformQuantizationObserverBase.Merge"/> for histograms and moving averages.</summary>
    /// <param name="model">The prepared model that gets the statistics, and the counts of calls.</param>
    /// <param name="shard">A copy of it that ran on other data; it is left as it is.</param>
    /// <exception cref="ArgumentException">The models do not have the same observers, or statistics cannot be merged; all problems are listed, and the model is unchanged.</exception>
    public static void merge_observers(nn.Module model, nn.Module shard)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(shard);
        ObserverMerge.Run(model, shard);
    }

    private static IEnumerable<(string Path, ObserverBase Observer)> Observers(nn.Module model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model is ObserverBase alone
            ? [("", alone)]
            : model.named_modules().Where(entry => entry.module is ObserverBase).Select(entry => (entry.name, (ObserverBase)entry.module));
    }

    private static string Under(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}

using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Merges the calibration of one copy of a prepared model into that of another, all of it or nothing.</summary>
internal static class ObserverMerge
{
    /// <summary>Merges.</summary>
    /// <exception cref="ArgumentException">Something cannot be merged; all of it is listed, and the model is unchanged.</exception>
    public static void Run(nn.Module model, nn.Module shard)
    {
        if (ReferenceEquals(model, shard))
            throw new ArgumentException("A model cannot be merged with itself: its values would count twice.", nameof(shard));
        var (ours, theirs) = (Watched(model), Watched(shard));
        var problems = ours.Keys.Union(theirs.Keys).Where(path => ours.ContainsKey(path) != theirs.ContainsKey(path))
            .Select(path => $"{path} is observed in {(ours.ContainsKey(path) ? "the model" : "the shard")} only").ToList();
        if (ours.Count == 0 && theirs.Count == 0)
            problems.Add("neither holds an observer: call quantization.prepare, and copy the prepared model");
        if (problems.Count == 0)
            problems.AddRange(ours.Select(entry => Obstacle(entry.Key, entry.Value, theirs[entry.Key])).OfType<string>());
        if (problems.Count > 0)
            throw new ArgumentException($"The observers cannot be merged, and the model is unchanged: {string.Join("; ", problems)}.", nameof(shard));

        var runs = new HashSet<CalibrationRun>(ReferenceEqualityComparer.Instance);
        foreach (var (path, module) in ours)
        {
            if (module is ObserverBase observer)
            {
                Merge(observer, (ObserverBase)theirs[path]);
            }
            else if (module is IObserved { Calibration: { } record } && theirs[path] is IObserved { Calibration: { } other })
            {
                record.Merge(other);
                if (runs.Add(record.Run))
                    record.Run.Merge(other.Run);
            }
        }
    }

    private static Dictionary<string, nn.Module> Watched(nn.Module model) =>
        ModuleTree.Walk(model).Where(m => m.Module is ObserverBase or IObserved { Calibration: not null }).ToDictionary(m => m.Path, m => m.Module, StringComparer.Ordinal);

    /// <summary>Tried on a copy of the observer: what statistics fit together is known to their class.</summary>
    private static string? Obstacle(string path, nn.Module ours, nn.Module theirs)
    {
        if (ours is not ObserverBase observer)
            return theirs is IObserved ? null : $"{path} is {CSharpNames.Of(theirs.GetType())} in the shard";
        if (theirs is not ObserverBase other || observer.GetType() != other.GetType() || observer.ToString() != other.ToString())
            return $"{path} is {ours} in the model and {theirs} in the shard";
        try
        {
            using var trial = ModuleTree.Copy(observer);
            Merge(trial, other);
            return null;
        }
        catch (ArgumentException e)
        {
            return $"{path}: {e.Message}";
        }
    }

    private static void Merge(ObserverBase observer, ObserverBase other)
    {
        if (observer is UniformQuantizationObserverBase range)
            range.Merge((UniformQuantizationObserverBase)other);
        else if (observer is RecordingObserver recording)
            recording.Merge((RecordingObserver)other);
    }
}

using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>What <c>fuse_modules</c> and <c>fuse_modules_qat</c> do once the call is found to be right: builds the fused modules, puts them in place, and moves hooks and qconfigs.</summary>
internal static class ModuleFusion
{
    /// <summary>Fuses in the model itself (returned) or in a copy of it.</summary>
    /// <exception cref="ModuleFusionException">All problems of the call; the model is unchanged.</exception>
    public static T Run<T>(T model, IReadOnlyList<IReadOnlyList<string>> lists, IReadOnlyList<FusionPattern> table, bool inplace) where T : nn.Module
    {
        var groups = FusionCheck.Run(model, lists, table);
        if (inplace)
        {
            Apply(model, groups);
            return model;
        }

        var copy = ModuleTree.Copy(model);
        try
        {
            ReplacedModules.Dispose(Apply(copy, FusionCheck.Run(copy, lists, table)), copy, model);
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    private static IReadOnlyList<ModuleReplacement> Apply(nn.Module model, IReadOnlyList<FusionGroup> groups)
    {
        // Off while modules are copied and replaced: neither is to carry them along, each has its own new place.
        List<Action> putBack = [.. groups.SelectMany(g => g.Modules).Select(ModuleHooks.TakeOff)];
        IReadOnlyList<ModuleReplacement> replaced;
        var made = new Dictionary<nn.Module, nn.Module>(ReferenceEqualityComparer.Instance);
        try
        {
            foreach (var group in groups)
                for (var i = 0; i < group.Modules.Count; i++)
                    made.Add(group.Modules[i], i == 0 ? group.Pattern.Fuse(group.Modules) : nn.Identity());
            replaced = ModuleTree.Replace(model, (_, module) => made.GetValueOrDefault(module));
        }
        finally
        {
            putBack.ForEach(put => put());
        }

        foreach (var group in groups)
        {
            var fused = made[group.Modules[0]];
            MoveHooks(group, fused);
            if (ModuleQConfig.TryGet(group.Modules[0], out var qconfig)) fused.qconfig = qconfig;
        }

        return replaced;
    }

    /// <summary>What ran before the first runs before the fused module, what ran after the last runs after it, and what ran between a folded batch norm and the activation still does.</summary>
    private static void MoveHooks(FusionGroup group, nn.Module fused)
    {
        ModuleHooks.Move(group.Modules[0], fused, ModuleHooks.Before);
        ModuleHooks.Move(group.Modules[^1], fused, ModuleHooks.After);
        if (group is { Pattern.Folds: true, Modules.Count: > 2 }) ModuleHooks.Move(group.Modules[1], fused.children().First(), ModuleHooks.After);
    }
}

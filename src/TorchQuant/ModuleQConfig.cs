using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>A qconfig set on a module: <c>model.qconfig = quantization.default_dynamic_qconfig</c>, as in PyTorch.</summary>
public static class ModuleQConfig
{
    // Modules are foreign classes: what is set on them lives beside them, as long as they do.
    private static readonly ConditionalWeakTable<nn.Module, Setting> Settings = [];

    extension(nn.Module module)
    {
        /// <summary>The qconfig of this module, and of the modules in it that have none of their own. It wins over every entry of a qconfig_spec.
        /// Set to null it leaves the module float; reading gives null also where nothing was set.</summary>
        public QConfig? qconfig
        {
            get => TryGet(module, out var set) ? set : null;
            set => Settings.AddOrUpdate(module, new Setting(value));
        }
    }

    /// <summary>Forgets what was set on a module.</summary>
    internal static void Remove(nn.Module module) => Settings.Remove(module);

    /// <summary>What was set on a module.</summary>
    /// <returns>Whether anything was set; null can have been.</returns>
    internal static bool TryGet(nn.Module module, out QConfig? qconfig)
    {
        var found = Settings.TryGetValue(module, out var setting);
        qconfig = setting?.QConfig;
        return found;
    }

    private sealed record Setting(QConfig? QConfig);
}

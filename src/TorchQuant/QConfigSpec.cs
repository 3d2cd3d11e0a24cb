using System.Collections;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// The argument <c>qconfig_spec</c> of <c>quantize_dynamic</c>: which modules are quantized, by exact type or by full dotted name, and how.
/// <list type="bullet">
/// <item>A set of types and names, each quantized as the argument <c>dtype</c> says: <c>[typeof(LSTM), "decoder"]</c>, a <c>HashSet&lt;Type&gt;</c>.</item>
/// <item>A dictionary from type or name to a <see cref="QConfig"/>, where null leaves float: <c>new QConfigSpec { [typeof(Linear)] = quantization.default_dynamic_qconfig, ["decoder"] = null }</c>.</item>
/// </list>
/// A name beats a pattern (<see cref="Target.OfRegex"/>), a pattern beats a type, a type beats what the module around it has, and a module's own <c>qconfig</c> beats all; a container hands its qconfig to what is in it.
/// </summary>
public sealed class QConfigSpec : IEnumerable<QConfigSpec.Target>
{
    private readonly Dictionary<Target, (bool Given, QConfig? QConfig)> _entries = [];

    /// <summary>What an entry is about: an exact type of module, a full dotted name, or a pattern of names.</summary>
    public readonly record struct Target
    {
        /// <summary>All modules of exactly this type.</summary>
        /// <param name="type">A type that derives from <c>nn.Module</c>.</param>
        /// <exception cref="ArgumentException">The type does not.</exception>
        public Target(Type type)
        {
            ArgumentNullException.ThrowIfNull(type);
            if (!type.IsAssignableTo(typeof(nn.Module)))
                throw new ArgumentException($"{type} is not a type of module; a qconfig_spec names module types such as typeof(TorchSharp.Modules.Linear).", nameof(type));
            Type = type;
        }

        /// <summary>The module of this full name.</summary>
        /// <param name="name">As <c>named_modules()</c> gives it: <c>encoder.layers.0.fc</c>. Empty, as in PyTorch, for the model itself and so for all that is in it.</param>
        public Target(string name)
        {
            ArgumentNullException.ThrowIfNull(name);
            Name = name;
        }

        /// <summary>All modules whose full dotted name matches a pattern from its beginning.</summary>
        /// <param name="regex">A regular expression: <c>blocks\.\d+\.conv</c>.</param>
        /// <exception cref="ArgumentException">It is none.</exception>
        public static Target OfRegex(string regex)
        {
            ArgumentNullException.ThrowIfNull(regex);
            _ = new Regex(regex);
            return default(Target) with { Pattern = regex };
        }

        /// <summary>The exact type, or null.</summary>
        public Type? Type { get; }

        /// <summary>The full dotted name, empty for the model itself, or null.</summary>
        public string? Name { get; }

        /// <summary>The pattern of names, or null.</summary>
        public string? Pattern { get; private init; }

        /// <summary>Whether the entry is about a module.</summary>
        internal bool IsAbout(string path, Type type) =>
            Type is not null ? Type == type : Name is not null ? Name == path : Regex.IsMatch(path, $"^(?:{Pattern})");

        /// <summary>As the constructor.</summary>
        /// <param name="type">The exact type.</param>
        public static implicit operator Target(Type type) => new(type);

        /// <summary>As the constructor.</summary>
        /// <param name="name">The full dotted name.</param>
        public static implicit operator Target(string name) => new(name);

        /// <summary>The type's name, or the dotted name or the pattern in quotation marks.</summary>
        public override string ToString() => Type is not null ? Type.Name : Name is not null ? $"\"{Name}\"" : $"the pattern \"{Pattern}\"";

        internal static Target Of(object key) => key switch
        {
            Type type => new(type),
            string name => new(name),
            Target target => target,
            _ => throw new ArgumentException($"A qconfig_spec holds types and names of modules, found {key ?? "null"}{(key is null ? "" : $" ({key.GetType()})")}."),
        };
    }

    /// <summary>The entries.</summary>
    public IReadOnlyCollection<Target> Targets => _entries.Keys;

    /// <summary>Sets how an entry is quantized; null leaves it float. Reading gives null also where no qconfig was given.</summary>
    /// <param name="target">A type or a name.</param>
    /// <exception cref="KeyNotFoundException">Get: no such entry.</exception>
    public QConfig? this[Target target]
    {
        get => _entries[target].QConfig;
        set => _entries[target] = (true, value);
    }

    /// <summary>Adds an entry that is quantized as the argument <c>dtype</c> says.</summary>
    /// <param name="target">A type or a name.</param>
    public void Add(Target target) => _entries.TryAdd(target, default);

    /// <summary>Adds an entry with its qconfig; null leaves it float.</summary>
    /// <param name="target">A type or a name.</param>
    /// <param name="qconfig">How to quantize it.</param>
    public void Add(Target target, QConfig? qconfig) => this[target] = qconfig;

    /// <inheritdoc/>
    public IEnumerator<Target> GetEnumerator() => _entries.Keys.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The qconfig of each entry, with <paramref name="ofDtype"/> where none was given.</summary>
    internal Dictionary<Target, QConfig?> Resolve(Func<QConfig> ofDtype) =>
        _entries.ToDictionary(entry => entry.Key, entry => entry.Value.Given ? entry.Value.QConfig : ofDtype());

    private static QConfigSpec OfSet(IEnumerable targets)
    {
        var spec = new QConfigSpec();
        foreach (var target in targets)
            spec.Add(Target.Of(target));
        return spec;
    }

    private static QConfigSpec OfDictionary<TKey>(Dictionary<TKey, QConfig?> entries) where TKey : notnull
    {
        var spec = new QConfigSpec();
        foreach (var (key, qconfig) in entries)
            spec.Add(Target.Of(key), qconfig);
        return spec;
    }

    /// <summary>A set of types.</summary>
    /// <param name="types">The types.</param>
    public static implicit operator QConfigSpec(HashSet<Type> types) => OfSet(types);

    /// <summary>A set of names.</summary>
    /// <param name="names">The names.</param>
    public static implicit operator QConfigSpec(HashSet<string> names) => OfSet(names);

    /// <summary>A set of types and names.</summary>
    /// <param name="targets">The types and names.</param>
    public static implicit operator QConfigSpec(HashSet<object> targets) => OfSet(targets);

    /// <summary>A list of types.</summary>
    /// <param name="types">The types.</param>
    public static implicit operator QConfigSpec(Type[] types) => OfSet(types);

    /// <summary>A list of names.</summary>
    /// <param name="names">The names.</param>
    public static implicit operator QConfigSpec(string[] names) => OfSet(names);

    /// <summary>A dictionary from types.</summary>
    /// <param name="entries">The entries.</param>
    public static implicit operator QConfigSpec(Dictionary<Type, QConfig?> entries) => OfDictionary(entries);

    /// <summary>A dictionary from names.</summary>
    /// <param name="entries">The entries.</param>
    public static implicit operator QConfigSpec(Dictionary<string, QConfig?> entries) => OfDictionary(entries);

    /// <summary>A dictionary from types and names.</summary>
    /// <param name="entries">The entries.</param>
    public static implicit operator QConfigSpec(Dictionary<object, QConfig?> entries) => OfDictionary(entries);
}

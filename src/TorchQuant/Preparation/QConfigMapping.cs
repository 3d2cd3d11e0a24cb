namespace TorchQuant;

/// <summary>
/// PyTorch's <c>QConfigMapping</c>: which qconfig a module gets, by rules from weak to strong: for all, by exact type, by a pattern of names, by full dotted name. It is another way to write a
/// <see cref="QConfigSpec"/> and goes where that goes: <c>quantization.prepare(model, new QConfigMapping().set_global(a).set_object_type(typeof(Linear), b).set_module_name("head", null))</c>.
/// </summary>
/// <remarks>As everywhere, a qconfig set on a module itself beats all rules, and a container hands what it has to what is in it. Null leaves float.</remarks>
public sealed class QConfigMapping
{
    private readonly QConfigSpec _spec = [];

    /// <summary>The qconfig of every module without another rule.</summary>
    /// <param name="global_qconfig">How to quantize; null leaves float.</param>
    /// <returns>This mapping.</returns>
    public QConfigMapping set_global(QConfig? global_qconfig) => Set("", global_qconfig);

    /// <summary>The qconfig of all modules of exactly one type.</summary>
    /// <param name="object_type">The type.</param>
    /// <param name="qconfig">How to quantize; null leaves float.</param>
    /// <returns>This mapping.</returns>
    /// <exception cref="ArgumentException">The type is no type of module.</exception>
    public QConfigMapping set_object_type(Type object_type, QConfig? qconfig) => Set(object_type, qconfig);

    /// <summary>The qconfig of all modules whose full dotted name matches a pattern; of several patterns that match the first given decides.</summary>
    /// <param name="module_name_regex">A regular expression, which must match from the beginning of the name: <c>blocks\.\d+\.conv</c>.</param>
    /// <param name="qconfig">How to quantize; null leaves float.</param>
    /// <returns>This mapping.</returns>
    /// <exception cref="ArgumentException">The pattern is no regular expression.</exception>
    public QConfigMapping set_module_name_regex(string module_name_regex, QConfig? qconfig) => Set(QConfigSpec.Target.OfRegex(module_name_regex), qconfig);

    /// <summary>The qconfig of the module of one full dotted name.</summary>
    /// <param name="module_name">The name, as <c>named_modules()</c> gives it.</param>
    /// <param name="qconfig">How to quantize; null leaves float.</param>
    /// <returns>This mapping.</returns>
    public QConfigMapping set_module_name(string module_name, QConfig? qconfig) => Set(module_name, qconfig);

    /// <summary>The rules as the functions of <see cref="quantization"/> take them.</summary>
    public QConfigSpec ToQConfigSpec() => _spec;

    /// <summary>As <see cref="ToQConfigSpec"/>.</summary>
    /// <param name="mapping">The rules.</param>
    public static implicit operator QConfigSpec(QConfigMapping mapping)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        return mapping.ToQConfigSpec();
    }

    private QConfigMapping Set(QConfigSpec.Target target, QConfig? qconfig)
    {
        _spec[target] = qconfig;
        return this;
    }
}

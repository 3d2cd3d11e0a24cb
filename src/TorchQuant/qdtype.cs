using TorchSharp;

namespace TorchQuant;

/// <summary>A type that values are quantized to, or float. Named as PyTorch names its dtypes (<c>torch.qint8</c>); the default value is <see cref="qint8"/>.</summary>
/// <remarks>TorchSharp's <see cref="torch.ScalarType"/> has no quint4x2, hence a type of our own; it converts implicitly from the ScalarTypes that have
/// a counterpart.</remarks>
public readonly struct qdtype : IEquatable<qdtype>
{
    private enum Kind : byte { QInt8, QUInt8, QInt32, QUInt4x2, Float16, Float32 }

    private readonly Kind _kind;

    private qdtype(Kind kind) => _kind = kind;

    /// <summary>Signed 8 bits, codes -128..127: weights.</summary>
    public static qdtype qint8 => new(Kind.QInt8);

    /// <summary>Unsigned 8 bits, codes 0..255: activations and embeddings.</summary>
    public static qdtype quint8 => new(Kind.QUInt8);

    /// <summary>Signed 32 bits: accumulators and biases.</summary>
    public static qdtype qint32 => new(Kind.QInt32);

    /// <summary>Unsigned 4 bits, codes 0..15, two to the byte, the low nibble first: embedding bags.</summary>
    public static qdtype quint4x2 => new(Kind.QUInt4x2);

    /// <summary>IEEE 754 half precision: weights that are stored in 16 bits and computed with in float32.</summary>
    public static qdtype float16 => new(Kind.Float16);

    /// <summary>Not quantized.</summary>
#pragma warning disable CA1720 // PyTorch's name
    public static qdtype float32 => new(Kind.Float32);
#pragma warning restore CA1720

    /// <summary>Bits that one value takes.</summary>
    public int Bits => _kind switch
    {
        Kind.QInt8 or Kind.QUInt8 => 8,
        Kind.QUInt4x2 => 4,
        Kind.Float16 => 16,
        _ => 32,
    };

    /// <summary>The smallest and the largest code: (-128, 127) for qint8, (0, 255) for quint8, (0, 15) for quint4x2.</summary>
    /// <exception cref="InvalidOperationException">The type is float16 or float32, which have no codes.</exception>
    public (int quant_min, int quant_max) Range => _kind switch
    {
        Kind.QInt8 => (sbyte.MinValue, sbyte.MaxValue),
        Kind.QUInt8 => (byte.MinValue, byte.MaxValue),
        Kind.QInt32 => (int.MinValue, int.MaxValue),
        Kind.QUInt4x2 => (0, 15),
        _ => throw new InvalidOperationException($"{this} has no codes: it is a float type."),
    };

    /// <summary>Whether values of the type are integer codes with a scale and a zero point.</summary>
    public bool IsQuantized => _kind is not (Kind.Float16 or Kind.Float32);

    /// <summary>The quantized type of PyTorch that a ScalarType names.</summary>
    /// <param name="type">QInt8 or Int8, QUInt8 or Byte, QInt32 or Int32, Float16, Float32.</param>
    /// <exception cref="ArgumentException">The type has no counterpart.</exception>
    public static qdtype FromScalarType(torch.ScalarType type) => type switch
    {
        torch.ScalarType.QInt8 or torch.ScalarType.Int8 => qint8,
        torch.ScalarType.QUInt8 or torch.ScalarType.Byte => quint8,
        torch.ScalarType.QInt32 or torch.ScalarType.Int32 => qint32,
        torch.ScalarType.Float16 => float16,
        torch.ScalarType.Float32 => float32,
        _ => throw new ArgumentException($"{type} is no type to quantize to; use qdtype.qint8, quint8, qint32, quint4x2, float16 or float32.", nameof(type)),
    };

    /// <summary>As <see cref="FromScalarType"/>.</summary>
    /// <param name="type">The ScalarType.</param>
    public static implicit operator qdtype(torch.ScalarType type) => FromScalarType(type);

    /// <summary>Whether both are the same type.</summary>
    /// <param name="left">One type.</param>
    /// <param name="right">The other.</param>
    public static bool operator ==(qdtype left, qdtype right) => left.Equals(right);

    /// <summary>Whether the types differ.</summary>
    /// <param name="left">One type.</param>
    /// <param name="right">The other.</param>
    public static bool operator !=(qdtype left, qdtype right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(qdtype other) => _kind == other._kind;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is qdtype other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)_kind;

    /// <summary>The name as PyTorch writes it after <c>torch.</c>: <c>qint8</c>.</summary>
    public override string ToString() => _kind switch
    {
        Kind.QInt8 => nameof(qint8),
        Kind.QUInt8 => nameof(quint8),
        Kind.QInt32 => nameof(qint32),
        Kind.QUInt4x2 => nameof(quint4x2),
        Kind.Float16 => nameof(float16),
        _ => nameof(float32),
    };
}

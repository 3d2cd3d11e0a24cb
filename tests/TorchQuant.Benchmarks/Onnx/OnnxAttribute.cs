using Google.Protobuf;
using TorchQuant.Benchmarks.Onnx.Schema;

namespace TorchQuant.Benchmarks.Onnx;

/// <summary>An attribute of a node: a name and a long, a float, a string, or a list of longs.</summary>
internal readonly record struct OnnxAttribute(string Name, object Value)
{
    public static implicit operator OnnxAttribute((string Name, object Value) pair) => new(pair.Name, pair.Value);

    public AttributeProto ToProto()
    {
        switch (Value)
        {
            case long integer:
                return new AttributeProto { Name = Name, Type = AttributeProto.Types.AttributeType.Int, I = integer };
            case float real:
                return new AttributeProto { Name = Name, Type = AttributeProto.Types.AttributeType.Float, F = real };
            case string text:
                return new AttributeProto { Name = Name, Type = AttributeProto.Types.AttributeType.String, S = ByteString.CopyFromUtf8(text) };
            case long[] integers:
                var list = new AttributeProto { Name = Name, Type = AttributeProto.Types.AttributeType.Ints };
                list.Ints.AddRange(integers);
                return list;
            case string[] texts:
                var strings = new AttributeProto { Name = Name, Type = AttributeProto.Types.AttributeType.Strings };
                strings.Strings.AddRange(texts.Select(ByteString.CopyFromUtf8));
                return strings;
            default:
                throw new ArgumentException($"The attribute '{Name}' is a {Value.GetType()}; expected long, float, string, long[] or string[].");
        }
    }
}

using System.Runtime.InteropServices;
using Google.Protobuf;
using TorchQuant.Benchmarks.Onnx.Schema;

namespace TorchQuant.Benchmarks.Onnx;

/// <summary>Builds an ONNX model: inputs, constants, nodes, outputs, in the order in which they are added.</summary>
internal sealed class OnnxGraph
{
    /// <summary>The domain of ONNX Runtime's own operators.</summary>
    public const string Microsoft = "com.microsoft";

    private const long IrVersion = 8, OperatorSet = 13, MicrosoftOperatorSet = 1;

    private readonly GraphProto _graph = new() { Name = "benchmark" };
    private readonly HashSet<string> _constants = [];

    public void Input<T>(string name, params ReadOnlySpan<long> dimensions) where T : unmanaged => _graph.Input.Add(Value<T>(name, dimensions));

    public void Output<T>(string name, params ReadOnlySpan<long> dimensions) where T : unmanaged => _graph.Output.Add(Value<T>(name, dimensions));

    /// <summary>Adds a constant; no dimensions make a scalar.</summary>
    /// <returns>Its name.</returns>
    public string Constant<T>(string name, ReadOnlySpan<T> values, params ReadOnlySpan<long> dimensions) where T : unmanaged
    {
        if (!_constants.Add(name))
            throw new ArgumentException($"There is a constant '{name}' already; expected another name.", nameof(name));
        long count = 1;
        foreach (long dimension in dimensions)
            count *= dimension;
        if (count != values.Length)
            throw new ArgumentException($"'{name}' has {values.Length} values; expected {count}, the product of its dimensions.", nameof(values));
        var constant = new TensorProto { Name = name, DataType = TypeOf<T>(), RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values)) };
        constant.Dims.AddRange(dimensions.ToArray());
        _graph.Initializer.Add(constant);
        return name;
    }

    /// <summary>Adds a scalar constant.</summary>
    /// <returns>Its name.</returns>
    public string Scalar<T>(string name, T value) where T : unmanaged => Constant(name, new ReadOnlySpan<T>(in value));

    /// <summary>Adds a node with one output.</summary>
    /// <returns>The output's name.</returns>
    public string Node(string type, ReadOnlySpan<string> inputs, string output, string domain = "", params ReadOnlySpan<OnnxAttribute> attributes)
    {
        Node(type, inputs, [output], domain, attributes);
        return output;
    }

    /// <summary>Adds a node; an empty name stands for an input or output that is left out.</summary>
    public void Node(string type, ReadOnlySpan<string> inputs, ReadOnlySpan<string> outputs, string domain = "", params ReadOnlySpan<OnnxAttribute> attributes)
    {
        var node = new NodeProto { OpType = type, Domain = domain, Name = $"{type}_{_graph.Node.Count}" };
        node.Input.AddRange(inputs.ToArray());
        node.Output.AddRange(outputs.ToArray());
        foreach (OnnxAttribute attribute in attributes)
            node.Attribute.Add(attribute.ToProto());
        _graph.Node.Add(node);
    }

    /// <summary>The model as a file has it.</summary>
    public byte[] ToBytes()
    {
        var model = new ModelProto { IrVersion = IrVersion, ProducerName = "TorchQuant.Benchmarks", Graph = _graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = OperatorSet });
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = Microsoft, Version = MicrosoftOperatorSet });
        return model.ToByteArray();
    }

    private static ValueInfoProto Value<T>(string name, ReadOnlySpan<long> dimensions) where T : unmanaged
    {
        var shape = new TensorShapeProto();
        foreach (long dimension in dimensions)
            shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = dimension });
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = TypeOf<T>(), Shape = shape } } };
    }

    private static TensorProto.Types.DataType TypeOf<T>() => Type.GetTypeCode(typeof(T)) switch
    {
        TypeCode.Single => TensorProto.Types.DataType.Float,
        TypeCode.Byte => TensorProto.Types.DataType.Uint8,
        TypeCode.SByte => TensorProto.Types.DataType.Int8,
        TypeCode.Int32 => TensorProto.Types.DataType.Int32,
        TypeCode.Int64 => TensorProto.Types.DataType.Int64,
        _ => throw new ArgumentException($"{typeof(T)} has no type in ONNX that is used here; expected float, byte, sbyte, int or long."),
    };
}

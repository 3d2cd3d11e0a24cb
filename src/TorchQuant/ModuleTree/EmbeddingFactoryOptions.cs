using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>What an Embedding or EmbeddingBag was made with; the last two of an Embedding are Mean and false.</summary>
internal sealed record EmbeddingFactoryOptions(long Rows, long Columns, long? PaddingIndex, double? MaxNorm, double NormType, bool ScaleGradByFreq, bool Sparse,
    EmbeddingBagMode Mode, bool IncludeLastOffset, Device Device, ScalarType Type);

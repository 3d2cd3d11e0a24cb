using Xunit;

namespace TorchQuant.Tests;

/// <summary>Tests that count live tensors or set the number of threads: both belong to the process, so nothing runs beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

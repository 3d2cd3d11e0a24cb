namespace TorchQuant;

/// <summary>The arguments of <c>convert</c> that say how.</summary>
/// <param name="Mapping">What becomes of which float type.</param>
/// <param name="Custom">What becomes of custom modules.</param>
/// <param name="IsReference">Whether modules with an output scale compute in float with the int8 weights.</param>
/// <param name="AllowReuse">Whether one scale may serve several calls in one forward pass.</param>
/// <param name="AllowUnfused">Whether a batch norm may follow a convolution or Linear unfused.</param>
internal sealed record ConversionOptions(StaticModuleMapping Mapping, CustomModuleMapping Custom, bool IsReference, bool AllowReuse, bool AllowUnfused);

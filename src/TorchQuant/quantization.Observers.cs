namespace TorchQuant;

public static partial class quantization
{
    /// <summary>Activations by smallest and largest value: quint8 with the codes 0..127, affine.</summary>
    public static ObserverFactory default_observer => NamedObservers.Activation;

    /// <summary>As <see cref="default_observer"/>, by a <see cref="HistogramObserver"/>.</summary>
    public static ObserverFactory default_histogram_observer => NamedObservers.HistogramActivation;

    /// <summary>Activations that are not observed: <see cref="PlaceholderObserver"/> of float32.</summary>
    public static ObserverFactory default_placeholder_observer => NamedObservers.Float32;

    /// <summary>Activations of dynamic quantization: quint8, 0..255, the range of every input found when the module runs.</summary>
    public static ObserverFactory default_dynamic_quant_observer => NamedObservers.Dynamic;

    /// <summary>Weights: qint8 -128..127, one scale, symmetric.</summary>
    public static ObserverFactory default_weight_observer => NamedObservers.PerTensorWeight;

    /// <summary>Weights: qint8 -128..127, a scale for each output channel (axis 0), symmetric.</summary>
    public static ObserverFactory default_per_channel_weight_observer => NamedObservers.PerChannelWeight;

    /// <summary>As <see cref="default_weight_observer"/>, with the codes -127..127 and scales of at least 2^-12.</summary>
    public static ObserverFactory weight_observer_range_neg_127_to_127 => NamedObservers.NarrowPerTensorWeight;

    /// <summary>As <see cref="default_per_channel_weight_observer"/>, with the codes -127..127 and scales of at least 2^-12.</summary>
    public static ObserverFactory per_channel_weight_observer_range_neg_127_to_127 => NamedObservers.NarrowPerChannelWeight;

    /// <summary>Embeddings: quint8, a scale and a float zero point for each row.</summary>
    public static ObserverFactory default_float_qparams_observer => NamedObservers.EmbeddingWeight;

    /// <summary>As <see cref="default_float_qparams_observer"/>, in 4 bits.</summary>
    public static ObserverFactory default_float_qparams_observer_4bit => NamedObservers.EmbeddingWeight4Bit;

    /// <summary>Outputs in 0..1, as of a sigmoid: scale 1/256, zero point 0.</summary>
    public static ObserverFactory default_fixed_qparams_range_0to1_observer => NamedObservers.ZeroToOne;

    /// <summary>Outputs in -1..1, as of a tanh: scale 2/256, zero point 128.</summary>
    public static ObserverFactory default_fixed_qparams_range_neg1to1_observer => NamedObservers.MinusOneToOne;

    /// <summary>Keeps everything: <see cref="RecordingObserver"/>.</summary>
    public static ObserverFactory default_debug_observer => NamedObservers.Recording;
}

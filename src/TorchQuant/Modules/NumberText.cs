using System.Globalization;

namespace TorchQuant.Modules;

/// <summary>Numbers as Python prints them.</summary>
internal static class NumberText
{
    /// <summary>For example <c>1e-05</c>, where .NET has 1E-05.</summary>
    public static string Of(double value) => value.ToString(CultureInfo.InvariantCulture).Replace('E', 'e');
}

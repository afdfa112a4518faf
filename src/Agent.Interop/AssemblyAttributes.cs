// Every native signature in this assembly is blittable or source generated, so the runtime never has to make marshalling
// code: that is what keeps the assembly free of run-time code generation in an ahead-of-time compiled program.
[assembly: System.Runtime.CompilerServices.DisableRuntimeMarshalling]

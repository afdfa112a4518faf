using System.Diagnostics;
using System.Reflection;
using System.Text;
using Agent.Interop.Mosquitto;

namespace Agent.Interop.Tests.Mosquitto;

public sealed unsafe class LibMosquittoHeaderTests
{
    /// <summary>A C compiler checks the constants and the one structure against the system's headers; an error names the difference.</summary>
    [Fact]
    public void Constants_and_the_message_structure_are_those_of_the_headers()
    {
        var source = new StringBuilder("#include <stddef.h>\n#include <mosquitto.h>\n#include <mqtt_protocol.h>\n");
        var constants = typeof(LibMosquitto).GetFields(BindingFlags.NonPublic | BindingFlags.Static)
            .Where(field => field.IsLiteral && field.FieldType == typeof(int)).ToArray();
        Assert.Contains(constants, constant => constant.Name == nameof(LibMosquitto.MQTT_PROP_RESPONSE_TOPIC));
        foreach (var constant in constants)
        {
            Assertion(constant.Name, (int)constant.GetRawConstantValue()!);
        }

        mosquitto_message message;
        var start = (byte*)&message;
        Assertion("sizeof(struct mosquitto_message)", sizeof(mosquitto_message));
        Offset("mid", &message.mid);
        Offset("topic", &message.topic);
        Offset("payload", &message.payload);
        Offset("payloadlen", &message.payloadlen);
        Offset("qos", &message.qos);
        Offset("retain", &message.retain);
        Assertion("sizeof(bool)", sizeof(byte));

        using var compiler = Process.Start(new ProcessStartInfo("gcc", ["-x", "c", "-fsyntax-only", "-"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        })!;
        compiler.StandardInput.Write(source);
        compiler.StandardInput.Close();
        var errors = compiler.StandardError.ReadToEnd();
        compiler.WaitForExit();
        Assert.Equal("", errors);
        Assert.Equal(0, compiler.ExitCode);

        void Assertion(string expression, long value) => source.Append($"_Static_assert({expression} == {value}, \"{expression}\");\n");

        void Offset(string field, void* address) => Assertion($"offsetof(struct mosquitto_message, {field})", (byte*)address - start);
    }

    [Fact]
    public void A_library_refusal_names_the_function_and_the_cause()
    {
        using var client = new MosquittoClient("test", useVersion5: true, 100, new MosquittoEvents(_ => { }, _ => { }, _ => { }, () => { }, (_, _) => { }, (_, _) => { }, _ => { }));

        var failure = Assert.Throws<MosquittoException>(() => client.SetWill("a/+", "x"u8, 1, retain: true));

        Assert.StartsWith("mosquitto_will_set failed: Invalid function arguments provided (code 3)", failure.Message);
    }
}

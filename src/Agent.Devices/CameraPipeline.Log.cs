using Microsoft.Extensions.Logging;

namespace Agent.Devices;

/// <content>What it says in the log.</content>
public sealed partial class CameraPipeline
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Camera {Camera}: {Source} {Format} → passthrough, profile-level-id {ProfileLevelId}")]
    private partial void LogPassingThrough(string camera, string source, string format, string profileLevelId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Camera {Camera}: {Error}; trying again")]
    private partial void LogFailed(string camera, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Camera {Camera}: privacy is on, its device is closed")]
    private partial void LogPrivate(string camera);

    [LoggerMessage(Level = LogLevel.Information, Message = "Camera {Camera}: privacy is off")]
    private partial void LogNoLongerPrivate(string camera);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Camera {Camera}: {Note}")]
    private partial void LogNote(string camera, string note);

    [LoggerMessage(Level = LogLevel.Information, Message = "Camera {Camera}: {Source} cannot {What}")]
    private partial void LogCannot(string camera, string source, string what);

    [LoggerMessage(Level = LogLevel.Error, Message = "Camera {Camera}: {Step} has hung for too long ({Source}); the driver or the device hangs, unplug it or restart the machine if this stays")]
    private partial void LogHangs(string camera, string step, string source);

    [LoggerMessage(Level = LogLevel.Information, Message = "Camera {Camera}: goes on")]
    private partial void LogGoesOn(string camera);
}

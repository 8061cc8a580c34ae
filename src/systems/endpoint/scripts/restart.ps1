# Asks Windows to restart, and tells when it was started last. Nobody is asked twice while the first request may still come true.
param($Parameters)

# What shutdown.exe says where a restart is on its way already: 1115 'in progress', 1190 'already scheduled'. Assumption: its exit
# code is that of Windows.
$onItsWay = 1115, 1190

Use-Host $Parameters {
    $bootTime = Get-BootTime
    $record = [IO.Path]::Combine($Parameters.workDirectory, 'records', $Parameters.records, "$($Parameters.record).restart.json")
    $askedAt = if (Test-Path -LiteralPath $record) { Get-Time (Read-Json $record).at }
    $isNew = [string]::CompareOrdinal($bootTime, (Get-Time $Parameters.bootedUntil)) -ge 0
    if (-not $isNew -and ($null -eq $askedAt -or [string]::CompareOrdinal($askedAt, (Get-Time $Parameters.askAgain)) -lt 0)) {
        Confirm-NoSetup
        # Text on standard error is no error here: the exit code counts. The delay lets this script and its activity say what was done.
        $ErrorActionPreference = 'Continue'
        $output = @(shutdown.exe /r /t 15 /d p:4:2 /c "Onward: $($Parameters.operation)" 2>&1 | ForEach-Object { ([string] $_).Trim() } | Where-Object { $_ -ne '' })
        $exitCode = $LASTEXITCODE
        $ErrorActionPreference = 'Stop'
        if ($exitCode -ne 0 -and $onItsWay -notcontains $exitCode) {
            Fail 'Rejected' "shutdown.exe ended with exit code ${exitCode}: $([string]::Join(' ', $output))"
        }
        # Afterwards: a request that was never made must not be waited for.
        $askedAt = Get-Now
        Save-Json $record @{ operation = $Parameters.operation; bootTime = $bootTime; at = $askedAt }
    }
    @{ bootTime = $bootTime; askedAt = $askedAt }
}

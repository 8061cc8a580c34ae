# Runs setup.cmd for one gateway site and records its start and its end, so that whoever comes next knows. What is run is hashed right
# before it.
param($Parameters)

Use-Host $Parameters {
    Confirm-Seen $Parameters
    Confirm-NoSetup
    $staged = Get-StagedPackage (Get-PackageFolder $Parameters.workDirectory $Parameters.sha256) $Parameters.sha256
    if ($staged.problem) { Fail 'UnexpectedState' $staged.problem }
    $records = [IO.Path]::Combine($Parameters.workDirectory, 'records', $Parameters.records)
    $null = New-Item -ItemType Directory -Path $records -Force
    $record = Join-Path $records $Parameters.id
    $output = "$record.setup.log"

    # cmd.exe itself writes the log and reads nothing, so that setup.cmd goes on undisturbed when this script dies.
    # Names with characters that mean something to cmd.exe never get here: they are rejected, not escaped.
    $command = '.\setup.cmd -GatewaySiteName "{0}" -GatewayAppName "{1}" -GatewayIPAddress "{2}" -GatewaySiteCertSubject "{3}" -Force' -f `
        $Parameters.site, $Parameters.application, $Parameters.ip, $Parameters.hostname
    Save-Json "$record.setup-started.json" @{
        id = $Parameters.id; operation = $Parameters.operation; site = $Parameters.site; application = $Parameters.application
        hostname = $Parameters.hostname; ip = $Parameters.ip; at = (Get-Now)
    }
    $process = Start-Process -FilePath 'cmd.exe' -ArgumentList "/d /s /c `"$command > `"$output`" 2>&1 < NUL`"" `
        -WorkingDirectory $staged.directory -WindowStyle Hidden -PassThru
    # Without the handle, the exit code is lost when the process ends (Windows PowerShell).
    $null = $process.Handle
    $process.WaitForExit()
    $lines = @(if (Test-Path -LiteralPath $output) { Get-Content -LiteralPath $output | ForEach-Object { [string] $_ } })
    $result = @{
        id = $Parameters.id; operation = $Parameters.operation; exitCode = $process.ExitCode; at = (Get-Now)
        log = [string]::Join("`n", @($lines | Select-Object -Last 40))
        remarks = @($lines | Where-Object { $_ -match $Parameters.remarkable } | Select-Object -First 20 | ForEach-Object { $_.Trim() })
    }
    Save-Json "$record.setup-ended.json" $result
    $result
}

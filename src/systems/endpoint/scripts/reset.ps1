# Restarts the host's Internet services and records what came of it and which changes it came after.
param($Parameters)

Use-Host $Parameters {
    Confirm-Seen $Parameters
    Confirm-NoSetup
    # Text on standard error is no error here: iisreset is judged by its exit code, its last line and the services.
    $ErrorActionPreference = 'Continue'
    $output = @(iisreset 2>&1 | ForEach-Object { ([string] $_).Trim() } | Where-Object { $_ -ne '' })
    $exitCode = $LASTEXITCODE
    $ErrorActionPreference = 'Stop'
    $services = @('WAS', 'W3SVC' | ForEach-Object {
            @{ name = $_; state = [string] (Get-Service -Name $_).Status }
        })
    $result = @{
        operation = $Parameters.operation; covers = @($Parameters.covers); exitCode = $exitCode; output = $output
        services = $services; at = (Get-Now)
    }
    Save-Json ([IO.Path]::Combine($Parameters.workDirectory, 'records', $Parameters.records, "$($Parameters.id).reset.json")) $result
    $result
}

# Restarts the host's Internet services and records what came of it and which changes it came after.
param($Parameters)

function Get-Services {
    'WAS', 'W3SVC' | ForEach-Object { @{ name = $_; state = [string] (Get-Service -Name $_).Status } }
}

# A service that is on its way takes no order, and is nothing yet to judge by.
function Wait-Services {
    $until = [DateTime]::UtcNow.AddMilliseconds($Parameters.waitMilliseconds)
    while (@(Get-Services | Where-Object { $_.state -like '*Pending' }).Count -gt 0 -and [DateTime]::UtcNow -lt $until) { Start-Sleep -Milliseconds 100 }
}

Use-Host $Parameters {
    Confirm-Seen $Parameters
    Confirm-NoSetup
    Wait-Services
    # Text on standard error is no error here: iisreset is judged by its exit code, its last line and the services.
    $ErrorActionPreference = 'Continue'
    $output = @(iisreset 2>&1 | ForEach-Object { ([string] $_).Trim() } | Where-Object { $_ -ne '' })
    $exitCode = $LASTEXITCODE
    $ErrorActionPreference = 'Stop'
    Wait-Services
    $result = @{
        operation = $Parameters.operation; covers = @($Parameters.covers); exitCode = $exitCode; output = $output
        services = @(Get-Services); at = (Get-Now)
    }
    Save-Json ([IO.Path]::Combine($Parameters.workDirectory, 'records', $Parameters.records, "$($Parameters.id).reset.json")) $result
    $result
}

# What the gateway application answers to whoever has no certificate of the controller.
param($Parameters)

$until = [DateTime]::UtcNow.AddMilliseconds($Parameters.waitMilliseconds)
while ($true) {
    $status = 0
    $untrusted = $false
    $problem = ''
    try {
        $status = [int] (Invoke-WebRequest -Uri $Parameters.url -UseBasicParsing -TimeoutSec 60).StatusCode
    } catch {
        $problem = [string] $_.Exception.Message
        if ($_.Exception.Response) { $status = [int] $_.Exception.Response.StatusCode }
        $untrusted = [string] $_.Exception.Status -eq 'TrustFailure'
    }
    # A worker process that is still starting may fail at first.
    if ($untrusted -or ($status -ge 1 -and $status -lt 500) -or [DateTime]::UtcNow -ge $until) { break }
    Start-Sleep -Milliseconds 1000
}
@{ status = $status; untrusted = $untrusted; problem = $problem }

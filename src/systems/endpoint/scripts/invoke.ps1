# Runs one script and prints one line that nothing else can print: the envelope.
# Windows PowerShell 5.1 and later. All scripts are ASCII; data comes in and goes out as base64, and is never code.
param([string] $Request)

# Functions of script modules, such as Expand-Archive, see the global one only.
$global:ErrorActionPreference = 'Stop'
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$utf8 = New-Object System.Text.UTF8Encoding($false)
$order = $utf8.GetString([Convert]::FromBase64String($Request)) | ConvertFrom-Json
$log = New-Object 'System.Collections.Generic.List[string]'

try {
    foreach ($module in @($order.modules)) { Import-Module -Name $module -Global -DisableNameChecking }
    . ([ScriptBlock]::Create([IO.File]::ReadAllText([IO.Path]::Combine($order.scripts, 'common.ps1'))))
    if ('protect', 'discover', 'precheck' -notcontains $order.script) { Confirm-Identity $order.parameters.identity }
    $script = [ScriptBlock]::Create([IO.File]::ReadAllText([IO.Path]::Combine($order.scripts, $order.script + '.ps1')))
    $output = @(& $script $order.parameters)
    $envelope = @{ ok = $true; result = $output[-1] }
} catch {
    $kind = [string] $_.Exception.Data['kind']
    if ($kind -eq '') { $kind = 'Rejected' }
    $line = $_.InvocationInfo.ScriptLineNumber
    if ($kind -eq 'Rejected' -and $line) { $log.Add("$($order.script).ps1 stopped at line ${line}: $($_.InvocationInfo.Line.Trim())") }
    $envelope = @{ ok = $false; kind = $kind; message = [string] $_.Exception.Message }
}
$envelope.log = [string]::Join("`n", @($log | Select-Object -Last 50))
$json = $envelope | ConvertTo-Json -Depth 10 -Compress
[Console]::Out.WriteLine()
[Console]::Out.WriteLine('#onward:' + $order.nonce + ':' + [Convert]::ToBase64String($utf8.GetBytes($json)))
[Console]::Out.Flush()
exit [int] (-not $envelope.ok)

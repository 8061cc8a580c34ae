# Installs a feature of Windows unless it is there, as a release might need it for its setup.cmd.
param($Parameters)

$name = $Parameters.feature
if ((Get-WindowsFeature -Name $name).InstallState -eq 'Installed') {
    return @{ done = $true; restartNeeded = $false; note = "$name is installed." }
}
if ($Parameters.refuses) { Fail 'UnexpectedState' "$name cannot be installed on this host" }
$installed = Install-WindowsFeature -Name $name
$null = New-Item -Path 'HKLM:\SOFTWARE\Onward\Test' -Force
Set-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Onward\Test' -Name $name -Value 'asked for'
Add-Log "$name was installed"
$restart = $installed.RestartNeeded -eq 'Yes'
@{ done = -not $restart; restartNeeded = $restart; note = "$name is installed$(if ($restart) { ' and needs a restart' })." }
